"""Configuration of a network that reconstructs shapes as atlases."""

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perception.shapes.atlas.bundle import Structure, has_charts
from training.shapes.atlas.picture_set import PictureSetConfig
from training.shapes.atlas.surface_set import SurfaceSetConfig


class AtlasConfig(BaseModel):
    """One network: what it sees, what it deforms, how it learns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Literal["cloud", "picture"] = "cloud"
    structure: Structure = "squares"
    """points, points_normals: the baselines, a list of points. squares: K charts. sphere: one. translation,
    deformation: elementary structures, learned points or learned patches, in `dimension` dimensions."""
    charts: int = Field(default=25, gt=0)
    dimension: Literal[2, 3, 10] = 3
    """Of elementary structures."""
    points: int = Field(default=2500, gt=0)
    """Points that the decoder gives and the loss compares, of all charts together. Of charts others are drawn in each
    step, so that fewer, of more shapes, teach as much in the same time."""
    data: SurfaceSetConfig
    """Shapes to train on. What is missing of them is made."""
    left_out: tuple[str, ...] = ()
    """Categories of the data that are not trained on, to see what a network makes of the unknown; for clouds."""
    validation: SurfaceSetConfig
    """Held-out shapes, the same."""
    pictures: PictureSetConfig | None = None
    """Pictures of the shapes to train on; with input picture."""
    validation_pictures: PictureSetConfig | None = None
    decoder_of: Path | None = None
    """With input picture: weights.pt of a network for clouds of the same structure, whose decoder is taken over."""
    frozen_share: float = Field(default=0.5, ge=0, le=1)
    """First part of the training in which a decoder that was taken over stays as it is."""
    out: Path
    """Folder of checkpoints and log."""
    encoder: tuple[int, ...] = (64, 128, 1024)
    """Channels of each point of a cloud, or of the stages of a ResNet-18."""
    decoder: tuple[int, ...] = (1024, 512, 256, 128)
    """Channels of each point of a chart, or of the layers of a list of points."""
    latent: int = Field(default=1024, gt=0)
    seen: int = Field(default=2500, gt=0)
    """Points of a cloud that the encoder sees."""
    stretched: float = Field(default=0.0, ge=0, le=1.5)
    """Each time a shape is seen it is stretched along x, y and z by factors whose logarithm is within this; clouds."""
    turned: bool = False
    """Each time a shape is seen it is turned about z by any angle; clouds."""
    shapes: int = Field(default=1_000_000, gt=0)
    """Shapes to train on, with repetition."""
    batch: int = Field(default=32, gt=0)
    """Shapes per step and process."""
    learning_rate: float = Field(default=1e-3, gt=0)
    normals: float = Field(default=0.1, ge=0)
    """With points_normals: what a unit of a normal counts beside one of a place."""
    bfloat16: bool = True
    """Matrix products in bfloat16 where the device has them, weights and what is optimised in single precision."""
    single_share: float = Field(default=0.1, ge=0, le=1)
    """Last part of the training that is done in single precision throughout."""
    seed: int = 0
    checkpoint_s: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.structure == "sphere" and self.charts != 1:
            raise ValueError(f"charts is {self.charts}, but a sphere is one chart: give charts=1")
        if has_charts(self.structure) and self.points % self.charts:
            raise ValueError(
                f"charts is {self.charts}, which does not divide the {self.points} points: give another number of "
                "charts, or points that it divides"
            )
        per_chart = self.points // self.charts
        if self.structure == "translation" and math.isqrt(per_chart) ** 2 != per_chart:
            raise ValueError(
                f"{per_chart} points for each of {self.charts} charts are no square grid, which translated points "
                "begin as: give points that are charts times a square"
            )
        largest = min(self.data.points, self.validation.points)
        if self.points > largest or self.seen > largest:
            raise ValueError(
                f"points {self.points} or seen {self.seen} is more than the {largest} points of the data's shapes: "
                "give fewer, or more points of each shape"
            )
        if self.input == "picture" and (self.pictures is None or self.validation_pictures is None):
            raise ValueError("a network for pictures takes pictures and validation_pictures: give both")
        if self.input == "picture":
            for name in ("left_out", "stretched", "turned"):
                if getattr(self, name):
                    raise ValueError(f"{name} is for clouds: leave it as it is by default")
        return self
