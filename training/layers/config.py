"""Configuration of a network that decomposes pictures into layers."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Structure = Literal["recursive", "one_shot", "single"]
Normalisation = Literal["none", "group"]
Conditioning = Literal["modulated", "concatenated"]


class PicturesConfig(BaseModel):
    """Pictures to learn from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Path
    """A folder of pictures, looked through in depth, such as CelebA's or ImageNet's; a .zip file of pictures; or an
    .npz file with `images` (N, H, W) or (N, H, W, 3) uint8."""
    size_px: int = Field(default=128, ge=8, le=1024)
    """Pictures are brought to squares of this side."""
    most: int = Field(default=200_000, gt=0)
    """Pictures that are used at most; the first of an order by checksum of their names."""
    augmented: float = Field(default=0.0, ge=0, le=1)
    """Share that is turned, scaled, recoloured and put on other backgrounds."""
    made: float = Field(default=0.0, ge=0, le=1)
    """Share of pictures of overlapping shapes, made by `training.layers.scenes`, in place of the source's."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.augmented + self.made > 1:
            raise ValueError(f"augmented {self.augmented} and made {self.made} are shares of the same whole: "
                             "give two that add up to at most 1")  # fmt: skip
        return self


class PerceptualConfig(BaseModel):
    """What a perceptual loss adds: distances between features of a ResNet-18, and between their Gram matrices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Path | None = None
    """A file as `training.art.weights` reads it; without one torchvision's are downloaded."""
    weight: float = Field(default=0.05, gt=0)
    """Of the whole beside l1."""
    gram: float = Field(default=1.0, ge=0)
    """Lambda: of the Gram matrices beside the features."""
    stages: int = Field(default=2, ge=1, le=3)
    """Stages of the ResNet whose features are compared."""


class LayersConfig(BaseModel):
    """One network: what it sees, what its layers are, how it learns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    structure: Structure = "recursive"
    """recursive: one layer after the other, each seeing what those before have painted. one_shot: all layers at once.
    single: no layers; a perceptron that gives colours of points in place of masks, from as many numbers."""
    layers: int = Field(default=10, ge=1, le=64)
    """T, in training."""
    parameters: int = Field(default=32, ge=1, le=512)
    """P, numbers that stand for a mask."""
    budget: int | None = Field(default=None, ge=8)
    """T (P + 3): where it is given, parameters follow from it."""
    transparent: bool = True
    """Pictures have a fourth channel, how opaque they are, and layers are painted on nothing; else on black."""
    normalisation: Normalisation = "none"
    """none: a mask is a function of place and parameters as it is. group: group norm, whose statistics are those of a
    reference grid, which makes it one too."""
    conditioning: Conditioning = "modulated"
    """Where the parameters enter. modulated: they give weights and biases of the first layer, and biases of the others.
    concatenated: they are inputs beside x and y, as published."""
    hidden: int = Field(default=128, gt=0)
    """Channels of the three layers of the perceptron."""
    data: PicturesConfig
    seen_px: int = Field(default=64, ge=32, le=256)
    """Side of the picture that the encoder sees."""
    canvas_px: int = Field(default=32, ge=8, le=256)
    """Side of what is painted, as the encoder sees it, scaled to `seen_px`."""
    stride: int = Field(default=8, ge=1)
    """Losses are taken at every stride-th pixel of the picture, from another first one in each step."""
    supersampling: int = Field(default=1, ge=1, le=4)
    """Points along each side of a pixel, over which masks are averaged."""
    encoder: tuple[int, int, int, int] = (32, 64, 128, 256)
    """Channels of the stages of the ResNet-18."""
    perceptual: PerceptualConfig | None = None
    out: Path
    """Folder of checkpoints and log."""
    begin_with: Path | None = None
    """weights.pt of a network of the same architecture to begin with."""
    pictures: int = Field(default=100_000, gt=0)
    """Pictures to train on, with repetition."""
    batch: int = Field(default=32, gt=0)
    """Pictures per step and process."""
    learning_rate: float = Field(default=1e-3, gt=0)
    intermediate: float = Field(default=0.5, ge=0, lt=1)
    """Share of the loss that is of the pictures before the last layer."""
    bfloat16: bool = True
    single_share: float = Field(default=0.0, ge=0, le=1)
    """Last part of the training that is done in single precision throughout."""
    seed: int = 0
    checkpoint_s: float = Field(default=60.0, gt=0)
    """Seconds between checkpoints."""

    @property
    def mask_parameters(self) -> int:
        """P, as given or as the budget leaves."""
        return self.parameters if self.budget is None else self.budget // self.layers - 3

    @property
    def numbers(self) -> int:
        """T (P + 3), that stand for a picture."""
        return self.layers * (self.mask_parameters + 3)

    @property
    def channels(self) -> int:
        """Of pictures."""
        return 4 if self.transparent else 3

    @property
    def steps(self) -> int:
        """Passes of the encoder over a picture in training."""
        return self.layers if self.structure == "recursive" else 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mask_parameters < 1:
            raise ValueError(
                f"a budget of {self.budget} numbers leaves nothing for the masks of {self.layers} layers: give at "
                f"least {4 * self.layers}"
            )
        if self.data.size_px % self.stride:
            raise ValueError(
                f"stride {self.stride} does not divide the pictures' {self.data.size_px} px: give one that does"
            )
        if self.seen_px % 32:
            raise ValueError(f"seen_px is {self.seen_px}: give a multiple of 32, which the encoder divides it by")
        if self.perceptual is not None and self.data.size_px // self.stride < 32:
            raise ValueError(
                f"a perceptual loss takes at least 32 px a side, but stride {self.stride} leaves "
                f"{self.data.size_px // self.stride}: give a smaller one"
            )
        return self
