"""The manifest of a model bundle: what its network is for, how it is called, and how it was made.

Everything that memory is taken by is bounded here, so that a manifest that somebody made up cannot ask for more of it
than a robot's computer has.
"""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator

from perception.manifest_parts import MANIFEST_VERSION, Metrics, Name, Side, Strict, Sum, Training
from perception.robot import Label

MODEL_FILE, INT8_FILE, ROBOT_FILE = "model.onnx", "model.int8.onnx", "robot.yaml"

MOST_PIXELS = 1 << 23  # of an input: 4K
MOST_CELLS = 1 << 23  # of all maps of one image
MOST_CHANNELS = 256

Metres = Annotated[float, Field(ge=-100, le=100)]
Factor = Annotated[PositiveFloat, Field(le=1e6)]
Summed = Annotated[str, Field(pattern=r"^(model\.onnx|model\.int8\.onnx|robot\.yaml)$")]

Task = Literal["localization.coarse", "localization.tool", "localization.fine", "localization.block"]
FRAME_OF_TASK = {
    "localization.coarse": "base",
    "localization.tool": "image",
    "localization.fine": "clamp",
    "localization.block": "image",
}
CROPPED = ("localization.fine", "localization.block")


class LinkPoint(Strict):
    """A point of the robot: xyz_m in the frame of a link."""

    link: Label
    xyz_m: tuple[Metres, Metres, Metres]


class Noise(Strict):
    """How far off points read from a channel's map are: scale * (the map's own covariance) + floor, in cells^2."""

    scale: Factor = 1.0
    floor: Factor = 0.1


class Channel(Strict):
    """One heat map, of one point or of two that look alike: places on the robot's links, or parts of the block in
    units of its length, width and height from the centre of its bottom face."""

    name: Label
    kind: Literal["robot", "block"]
    points: tuple[LinkPoint, ...] = Field(default=(), max_length=2)
    parts: tuple[tuple[Metres, Metres, Metres], ...] = Field(default=(), max_length=2)
    noise: Noise = Noise()

    @model_validator(mode="after")
    def _places_of_its_kind(self) -> Self:
        own, other = (self.points, self.parts) if self.kind == "robot" else (self.parts, self.points)
        if not own or other:
            raise ValueError(
                f"channel {self.name} of kind {self.kind} needs one or two "
                f"{'points' if self.kind == 'robot' else 'parts'} and nothing else"
            )
        return self


class Input(Strict):
    """Images that the network takes: (B, height, width, 3) uint8 RGB; it normalises them itself."""

    name: Label = "image"
    layout: Literal["NHWC"] = "NHWC"
    dtype: Literal["uint8"] = "uint8"
    colour: Literal["rgb"] = "rgb"
    width: Side
    height: Side

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        if self.width * self.height > MOST_PIXELS:
            raise ValueError(f"{self.width} x {self.height} pixels are more than {MOST_PIXELS}")
        return self


class Heatmaps(Strict):
    """Heat maps that the network gives: (B, K, height, width) float32, log-probabilities of each channel's cells; what
    is missing from a sum of one is the probability that the point is not in the image. sigma: cells by which points
    were smeared in training."""

    kind: Literal["heatmaps"] = "heatmaps"
    name: Label = "log_heatmaps"
    width: Side
    height: Side
    sigma: float = Field(ge=0.01, le=64)
    channels: tuple[Channel, ...] = Field(min_length=1, max_length=MOST_CHANNELS)

    @model_validator(mode="after")
    def _fit_in_memory(self) -> Self:
        if len(self.channels) * self.width * self.height > MOST_CELLS:
            raise ValueError(
                f"{len(self.channels)} maps of {self.width} x {self.height} have more than {MOST_CELLS} cells"
            )
        return self


class BinScores(Strict):
    """Raw scores that the network gives: (B, S) float32, those of all bins of the manifest, quantity after quantity."""

    kind: Literal["bins"] = "bins"
    name: Label = "scores"


class Crop(Strict):
    """Side of a crop: in metres at the depth of what it is around, or, where no camera is known, in heights of the
    image."""

    side_m: PositiveFloat = Field(le=100)
    side_heights: PositiveFloat = Field(default=0.336, le=100)


class LinearBins(Strict):
    """`count` bins of `width` metres around `centre`; of pixels, where they are those of a place in an image."""

    count: Side
    width: PositiveFloat = Field(le=1e5)
    centre: float = Field(default=0.0, ge=-1e5, le=1e5)

    def centres(self) -> NDArray[np.float64]:
        """(count,) bin centres in metres."""
        return np.asarray(self.centre + (np.arange(self.count) - (self.count - 1) / 2) * self.width)


class CircularBins(Strict):
    """`count` bins of `width` radians that fill the `period`; the first one starts at 0."""

    count: Side
    width: PositiveFloat = Field(le=7)
    period: PositiveFloat = Field(le=7)

    @model_validator(mode="after")
    def _bins_fill_the_period(self) -> Self:
        if abs(self.count * self.width - self.period) > 1e-6:
            raise ValueError(
                f"{self.count} bins of {self.width} rad do not fill the period {self.period} rad"
            )
        return self

    def centres(self) -> NDArray[np.float64]:
        """(count,) bin centres in radians, in [0, period)."""
        return (np.arange(self.count) + 0.5) * self.period / self.count


class ImageBins(Strict):
    """`count` bins across one side of the image."""

    count: Side


class PoseBins(Strict):
    """Bins of the block's position in m and yaw in rad."""

    x: LinearBins
    y: LinearBins
    yaw: CircularBins


class PixelBins(Strict):
    """Bins of a place in the image."""

    u: ImageBins
    v: ImageBins


class Calibration(Strict):
    """Factors on the variances of place and yaw under which held-out truths fall into the regions as often as they
    should."""

    place: Factor = 1.0
    yaw: Factor = 1.0


class Manifest(Strict):
    """What a bundle is for, how to call its network, how it was made, and what it should hash to."""

    manifest_version: int = MANIFEST_VERSION
    name: Name
    version: Name
    task: Task
    robot: Name
    frame: Literal["base", "image", "clamp"]
    input: Input
    output: Heatmaps | BinScores = Field(discriminator="kind")
    crop: Crop | None = None
    bins: PoseBins | PixelBins | None = None
    calibration: Calibration = Calibration()
    training: Training = Field(default={})
    metrics: Metrics = Field(default={})
    sha256: dict[Summed, Sum] = Field(default={})

    @model_validator(mode="after")
    def _fits_the_task(self) -> Self:
        if self.frame != FRAME_OF_TASK[self.task]:
            raise ValueError(f"task {self.task} has frame {FRAME_OF_TASK[self.task]}, not {self.frame}")
        if (self.crop is not None) != (self.task in CROPPED):
            raise ValueError(f"crop belongs to the tasks {' and '.join(CROPPED)} and to no other")
        if (self.bins is None) != (self.task == "localization.block"):
            raise ValueError("bins belong to every task but localization.block")
        if self.bins is not None and isinstance(self.bins, PixelBins) != (self.task == "localization.tool"):
            raise ValueError(
                f"task {self.task} cannot have bins of {', '.join(type(self.bins).model_fields)}"
            )
        if isinstance(self.output, BinScores):
            return self
        names = {channel.name for channel in self.output.channels}
        wanted = {"clamp"} if self.task == "localization.tool" else {"block_centre", "block_top"}
        if not wanted <= names:
            raise ValueError(f"task {self.task} needs the channels {', '.join(sorted(wanted - names))}")
        return self

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of what the network gives for one image."""
        if isinstance(self.output, Heatmaps):
            return (len(self.output.channels), self.output.height, self.output.width)
        bins = self.bins
        if isinstance(bins, PixelBins):
            return (bins.u.count + bins.v.count,)
        assert bins is not None  # the check of the manifest holds this
        return (bins.x.count + bins.y.count + bins.yaw.count,)
