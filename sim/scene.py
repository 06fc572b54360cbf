"""A scene as plain data: what stands where, how it looks, how it is lit and from where it is seen.

Units are metres and radians. The base frame is the robot's base link; the support lies about its plane z = 0.
Colours are sRGB in [0, 1].
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from perception.camera import Camera

# What a pixel of a segmentation shows. Distractor number i is DISTRACTOR + i.
NOTHING, SUPPORT, ROBOT, BLOCK, ROOM, DISTRACTOR = 0, 1, 2, 3, 4, 16

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """A square picture that repeats: `seed` of a procedural family of `sim.textures`, or the picture at `path`."""

    family: str
    seed: int = 0
    path: str | None = None


@dataclass(frozen=True)
class Material:
    """A colour and, where there is one, a texture that it multiplies, `repeats` times across a mesh's unit of UV.

    roughness, metallic and specular in [0, 1] are those of Blender's principled surface (Burley, SIGGRAPH 2012).
    """

    rgb: Colour
    texture: Texture | None = None
    repeats: float = 1.0
    roughness: float = 0.6
    metallic: float = 0.0
    specular: float = 0.5


@dataclass(frozen=True)
class Body:
    """One mesh of `sim.meshes` in its place: `pose` (4, 4) maps the scaled mesh to the base frame."""

    mesh: str
    pose: np.ndarray
    material: Material
    label: int
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Block:
    """A cuboid on the support: the origin is the centre of its bottom face, x runs along its long side, z up.

    A block that is lifted or tilted has its `pose` (4, 4), T_base_block; the other numbers then tell its place on
    the support under it.
    """

    size_m: tuple[float, float, float]
    x_m: float
    y_m: float
    yaw_rad: float
    material: Material
    pose: np.ndarray | None = None

    @property
    def axis(self) -> np.ndarray:
        """(3,) unit vector of the long side in the base frame."""
        return self.T_base_block[:3, 0]

    @property
    def T_base_block(self) -> np.ndarray:
        """(4, 4) pose of the centre of the bottom face."""
        if self.pose is not None:
            return self.pose
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        pose = np.eye(4)
        pose[:2, :2] = ((cos, -sin), (sin, cos))
        pose[:2, 3] = (self.x_m, self.y_m)
        return pose

    @property
    def body(self) -> Body:
        """The block as a unit box scaled to its size."""
        middle = self.T_base_block.copy()
        middle[:3, 3] += self.size_m[2] / 2 * middle[:3, 2]
        return Body("box", middle, self.material, BLOCK, self.size_m)


@dataclass(frozen=True)
class Light:
    """One lamp.

    directional: from infinitely far along `vector` (unit, from the scene to the light); `radius` is the angular
    radius in rad that softens its shadows. point and area: at `vector` (m); `radius` is that of the ball or of the
    disc, which faces the origin, in m.
    `intensity` is the radiance that a white diffuse surface sends back when it faces the light squarely, at any
    distance from a directional light and at 1 m from the others, 1 being white in the picture.
    """

    kind: Literal["directional", "point", "area"]
    vector: tuple[float, float, float]
    rgb: Colour = (1.0, 1.0, 1.0)
    intensity: float = 0.6
    radius: float = 0.0
    shadow: bool = True


@dataclass(frozen=True)
class Environment:
    """Light from all around, `ambient` times `sky` from above and `ground` from below, and what is seen behind all.

    backdrop: a texture that fills the picture where nothing stands, tinted by `sky`; None shows `sky` alone.
    """

    ambient: float = 0.4
    sky: Colour = (1.0, 1.0, 1.0)
    ground: Colour = (0.8, 0.8, 0.8)
    backdrop: Texture | None = None


@dataclass(frozen=True)
class Lens:
    """How a real image differs from the pinhole's: the principal point's shift (px of the camera's image) from its
    centre, and radial distortion k1, k2 (Brown, 1966) of coordinates divided by the focal length."""

    shift_px: tuple[float, float] = (0.0, 0.0)
    k1: float = 0.0
    k2: float = 0.0


@dataclass(frozen=True)
class Sensor:
    """What the camera does to the light, in this order; the defaults leave the image as it is.

    vignetting: share of light lost in the corners. motion_px: length and motion_rad: direction of a linear smear.
    blur_px: standard deviation of a Gaussian. exposure_ev: stops. white_balance: gains of red and blue.
    shot_noise, read_noise: standard deviation at full scale and in the dark, of values in [0, 1].
    jpeg: quality of a compression, None for none. seed: of the noise.
    """

    vignetting: float = 0.0
    motion_px: float = 0.0
    motion_rad: float = 0.0
    blur_px: float = 0.0
    exposure_ev: float = 0.0
    white_balance: tuple[float, float] = (1.0, 1.0)
    shot_noise: float = 0.0
    read_noise: float = 0.0
    jpeg: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class View:
    """One camera as it is: pinhole, lens and sensor."""

    camera: Camera
    lens: Lens = field(default_factory=Lens)
    sensor: Sensor = field(default_factory=Sensor)


@dataclass(frozen=True)
class Scene:
    """Everything that an image depends on.

    joints (J,): in the order of the robot's joint names, rad and m. robot_materials: one per part of the robot's
    description, or one per tone, the last one serving all further tones. bodies: support, room and distractors.
    absent: labels of what is not there after all, ROBOT or BLOCK; everything else is as if it were.
    """

    seed: int
    index: int
    robot: str
    joints: np.ndarray
    robot_materials: tuple[Material, ...]
    block: Block
    bodies: tuple[Body, ...]
    lights: tuple[Light, ...]
    environment: Environment
    views: tuple[View, ...]
    absent: tuple[int, ...] = ()

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """The pinhole of each view."""
        return tuple(view.camera for view in self.views)
