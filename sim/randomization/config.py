"""What may vary in a scene, and how far: one group of ranges per purpose, units in the names."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sim import distractors, terrain, textures
from sim.randomization.ranges import Count, Ranges, Span, limited, weights

LAMPS = ("directional", "point", "area")


class LookRanges(Ranges):
    """How a surface looks: a colour, in part of the cases a procedural texture, and how it reflects."""

    brightness: Span = limited("", 0, 1, "brightness of the colour, sRGB")
    gray_share: float = limited(
        "", 0, 1, "share of surfaces that are gray or nearly so; the others have any hue"
    )
    textured_share: float = limited("", 0, 1, "share of surfaces with a texture")
    families: dict[str, float] = weights("kinds of procedural textures", textures.FAMILIES)
    natural_share: float = limited(
        "", 0, 1, "share of textures in the colours of the real thing; the others have any"
    )
    tile_m: Span = limited("m", 0.005, 10, "side of the square after which a texture repeats")
    roughness: Span = limited("", 0, 1, "roughness of the principled surface")
    metallic_share: float = limited("", 0, 1, "share of surfaces of bare metal")
    specular: Span = limited("", 0, 1, "specular reflection of the principled surface")


class CameraRanges(Ranges):
    """Where cameras stand. They look at the middle of the robot's workspace and see all of the block."""

    width_px: int = limited("px", 16, 4096, "width of the image")
    height_px: int = limited("px", 16, 4096, "height of the image")
    focal_widths: Span = limited("image widths", 0.3, 6, "focal length")
    framing_spans: Span = limited(
        "spans of the robot", 0.4, 6, "what the image's height covers at the target"
    )
    azimuth_deg: Span = limited("deg", -180, 180, "direction of the camera seen from the target, 0 in front")
    elevation_deg: Span = limited("deg", 2, 85, "height of the camera seen from the target")
    roll_deg: Span = limited("deg", -180, 180, "turn about the optical axis")
    target_spread_m: float = limited("m", 0, 0.5, "standard deviation, per axis, of the point looked at")
    least_margin_px: float = limited("px", 0, 500, "the block stays this far inside the image")
    most_hidden_share: float = limited(
        "", 0, 1, "largest share of the block that the robot hides from a camera"
    )


class LensRanges(Ranges):
    """How the image differs from a pinhole's."""

    shift_px: Span = limited(
        "px", -200, 200, "principal point's shift from the image's centre, along each axis"
    )
    k1: Span = limited("", -0.4, 0.4, "radial distortion, of the square of the radius over the focal length")
    k2: Span = limited("", -0.2, 0.2, "radial distortion, of its fourth power")


class SensorRanges(Ranges):
    """What the camera does to the light."""

    vignetting: Span = limited("", 0, 0.9, "share of the light that is lost in the corners")
    motion_share: float = limited("", 0, 1, "share of images smeared by motion")
    motion_px: Span = limited("px", 0, 40, "length of the smear")
    blur_px: Span = limited("px", 0, 10, "standard deviation of the blur")
    exposure_ev: Span = limited("stops", -4, 4, "exposure")
    white_balance: Span = limited("", 0.4, 2.5, "gains of red and of blue against green")
    shot_noise: Span = limited("", 0, 0.3, "standard deviation of noise at full scale, values in [0, 1]")
    read_noise: Span = limited("", 0, 0.2, "standard deviation of noise in the dark, values in [0, 1]")
    jpeg_share: float = limited("", 0, 1, "share of images that went through JPEG")
    jpeg_quality: Count = limited("", 5, 100, "quality of the JPEG")


class LightRanges(Ranges):
    """Lamps, the first of which is the strongest."""

    count: Count = limited("lamps", 0, 8, "number of lamps")
    kinds: dict[str, float] = weights("kinds of lamps", LAMPS)
    azimuth_deg: Span = limited("deg", -180, 180, "direction of a lamp seen from the workspace")
    elevation_deg: Span = limited("deg", 2, 90, "height of a lamp seen from the workspace")
    distance_m: Span = limited("m", 0.5, 20, "distance of point and area lamps from the workspace")
    key_brightness: Span = limited("", 0, 3, "brightness of white under the first lamp")
    fill_brightness: Span = limited("", 0, 3, "brightness of white under each further lamp")
    warmth: Span = limited("", -1, 1, "colour of a lamp, from -1 (blue) by 0 (white) to 1 (orange)")
    coloured_share: float = limited("", 0, 1, "share of further lamps with any hue")
    sun_radius_deg: Span = limited("deg", 0, 20, "angular radius of directional lamps, which softens shadows")
    ball_radius_m: Span = limited("m", 0, 1, "radius of point lamps")
    disc_radius_m: Span = limited("m", 0, 2, "radius of area lamps")
    shadow_share: float = limited("", 0, 1, "share of lamps that cast shadows")
    ambient: Span = limited("", 0, 2, "brightness of white in the light from all around")
    sky_warmth: Span = limited("", -1, 1, "colour of the light from above, as that of a lamp")
    ground_brightness: Span = limited("", 0, 1, "light from below as a share of that from above")


class RobotRanges(Ranges):
    """Postures and paint of the robot. Reach, home and spread are those of the robot's own description."""

    random_share: float = limited("", 0, 1, "share of coarse scenes with the arm anywhere; else it hovers")
    fine_offset_m: float = limited(
        "m", 0, 0.3, "largest offset of the clamp from the block, per axis, for fine"
    )
    hover_offset_m: float = limited("m", 0, 0.5, "the same for coarse and tool")
    clearance_m: float = limited("m", 0, 0.2, "the arm keeps this far from support and block")
    open_share: float = limited("", 0, 1, "share of hovering grippers that are fully open")
    opening_share: Span = limited("", 0, 1, "opening of all others, as a share of fully open")
    repaint_share: float = limited("", 0, 1, "share of robots in any colour instead of their own")
    patchwork_share: float = limited("", 0, 1, "share of robots whose parts are each painted on their own", 0.0)
    brightness: Span = limited("", 0.1, 2, "factor on the brightness of the robot's colours")
    tint: float = limited(
        "", 0, 0.5, "standard deviation of each of red, green and blue of the robot's colours"
    )
    wear_share: float = limited("", 0, 1, "share of robots with scratches, dust or stains")
    wear_families: dict[str, float] = weights("kinds of wear", textures.FAMILIES)
    roughness: Span = limited("", 0, 1, "roughness of the principled surface")
    specular: Span = limited("", 0, 1, "specular reflection of the principled surface")


class BlockRanges(Ranges):
    """The block. It lies where the robot's own description lets it lie."""

    length_m: Span = limited("m", 0.01, 0.5, "long side")
    width_m: Span = limited("m", 0.005, 0.3, "short side")
    height_m: Span = limited("m", 0.005, 0.3, "height")
    least_aspect: float = limited("", 1, 10, "the long side is at least this many short sides")
    least_contrast: float = limited("", 0, 0.9, "block and support differ by this much in red, green or blue")
    most_tilt_deg: float = limited("deg", 0, 30, "largest tilt on uneven ground")
    sunk_m: Span = limited("m", 0, 0.02, "how deep the block sits in uneven ground")
    look: LookRanges

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        least = self.least_aspect * self.width_m[1]
        if least > self.length_m[1]:
            raise ValueError(
                f"length_m is [{self.length_m[0]:g}, {self.length_m[1]:g}], but a block {self.width_m[1]:g} m wide "
                f"(width_m) must be {least:g} m long at least (least_aspect {self.least_aspect:g}): "
                f"the high end of length_m is allowed from {least:g} to 0.5 m"
            )
        return self


class DistractorRanges(Ranges):
    """Other things that lie around. They touch neither each other nor block nor robot."""

    count: Count = limited("objects", 0, 24, "number of objects; those that find no free place are left out")
    kinds: dict[str, float] = weights("kinds of objects", distractors.KINDS)
    seeds: int = limited("", 1, 1024, "number of different objects per kind")
    scale: Span = limited("", 0.3, 3, "factor on an object's size")
    margin_m: float = limited("m", -0.2, 2, "how far beyond the workspace objects may lie")
    near_share: float = limited("", 0, 1, "share of objects that lie near the block")
    near_m: Span = limited("m", 0, 0.6, "distance of these from the block, centre to centre")
    gap_m: float = limited("m", 0.001, 0.2, "least gap between objects, block and robot")
    most_hidden_share: float = limited("", 0, 1, "largest share of the block that objects hide from a camera")
    block_colour_share: float = limited("", 0, 1, "share of objects in the block's own colour and texture")
    look: LookRanges


class RoomRanges(Ranges):
    """What stands around: floor, walls, furniture; else a picture or a plain colour far behind."""

    support_m: Span = limited("m", 1.5, 40, "side of the support where it is not a table")
    table_share: float = limited("", 0, 1, "share of scenes on a table with edges, a floor below")
    table_margin_m: Span = limited(
        "m", 0.05, 3, "how far a table reaches beyond robot and workspace, per side"
    )
    table_height_m: Span = limited("m", 0.1, 1.5, "height of a table above the floor")
    wall_share: float = limited("", 0, 1, "probability of each of the four walls")
    wall_m: Span = limited(
        "m", 0.5, 15, "distance of a wall from the workspace; none stands in front of a camera"
    )
    wall_height_m: Span = limited("m", 0.5, 6, "height of the walls above the support")
    furniture: Count = limited("pieces", 0, 12, "number of pieces of furniture: cupboards, boxes, posts")
    furniture_m: Span = limited("m", 0.05, 3, "sides of a piece")
    backdrop_share: float = limited("", 0, 1, "share of scenes with a texture or picture behind all")
    mount_share: float = limited("", 0, 1, "share of robots on a plate that lies on the support", 0.0)
    mount_m: Span = limited("m", 0.1, 1.5, "sides of that plate", (0.22, 0.5))
    support_look: LookRanges
    look: LookRanges


class TerrainRanges(Ranges):
    """Uneven ground in place of a flat support."""

    share: float = limited("", 0, 1, "share of scenes on uneven ground")
    kinds: dict[str, float] = weights("kinds of ground", terrain.KINDS)
    seeds: int = limited("", 1, 256, "number of different grounds per kind")
    amplitude_m: Span = limited("m", 0.0005, 0.04, "largest height or depth within the workspace")


class AbsentRanges(Ranges):
    """What is missing from a scene after all, so that networks learn to say so."""

    block_share: float = limited("", 0, 1, "share of scenes without the block")
    robot_share: float = limited("", 0, 1, "share of scenes without the robot")


class PictureRanges(Ranges):
    """A user's own pictures as textures of support, walls and backdrop."""

    folder: str | None = Field(description="folder with pictures (.jpg, .jpeg, .png, .bmp, .webp), or null")
    share: float = limited(
        "", 0, 1, "share of textures of support, walls and backdrop that are such pictures"
    )


class RandomizationConfig(BaseModel):
    """All that may vary in a scene. Presets are made by `sim.randomization.preset`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: CameraRanges
    lens: LensRanges
    sensor: SensorRanges
    light: LightRanges
    robot: RobotRanges
    block: BlockRanges
    distractors: DistractorRanges
    room: RoomRanges
    terrain: TerrainRanges
    absent: AbsentRanges
    pictures: PictureRanges
    texture_seeds: int = Field(ge=2, le=4096, description="number of different textures per family")
    first_seed: int = Field(
        default=0, ge=0, le=65536, description="even number of the first texture, object and ground of each kind"
    )

    @field_validator("first_seed")
    @classmethod
    def _even(cls, number: int) -> int:
        if number % 2:
            raise ValueError(f"first_seed is {number}: give an even number, those of textures in natural colours")
        return number

    @property
    def textures(self) -> range:
        """Seeds of each family's textures; the even ones are those in natural colours."""
        return range(self.first_seed, self.first_seed + self.texture_seeds)
