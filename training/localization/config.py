"""Configuration of a localization network's training."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from training.localization.augmentation import CHUNK


class LocalizationConfig(BaseModel):
    """One network: what it sees, how large it is and how long it trains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["coarse", "tool", "fine", "block"]
    method: Literal["heatmaps", "bins"] = "heatmaps"
    """Heat maps of points, or scores of bins as in the paper."""
    data: tuple[Path, ...] = Field(min_length=1)
    """Data sets of training images. One that is not there is built, if training/localization/datasets has its name."""
    validation: tuple[Path, ...] = Field(min_length=1)
    """Data sets of held-out images, the same."""
    out: Path
    """Folder of checkpoints, log and previews."""
    warm_start: Path | None = None
    """Weights of another recipe to begin with: its weights.pt; layers of another shape, and
    heat maps of other names, begin at random."""
    widths: tuple[int, ...] = (32, 64, 128, 192)
    """Channels at strides 4, 8, 16 and 32."""
    depths: tuple[int, ...] = (1, 2, 2, 1)
    """Residual blocks at each of those strides."""
    stem: int = Field(default=32, gt=0)
    """Channels at stride 2."""
    head: int = Field(default=64, gt=0)
    """Channels of the decoder."""
    samples: int = Field(default=150_000, gt=0)
    """Images to train on, with repetition."""
    batch: int = Field(default=64, gt=0)
    """Images per step and process."""
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    target_sigma: float = Field(default=1.25, gt=0)
    """Width of a target's Gaussian in heat map cells."""
    pool: int = Field(default=1, gt=0, le=8)
    """Bins: the linear layers see the mean over each cell of a pool x pool grid of the trunk's output."""
    label_sigma: float = Field(default=0.0, ge=0)
    """Bins: width of soft labels in bins; 0 for the one right bin."""
    first_label_sigma: float = Field(default=0.0, ge=0)
    """Bins: width of the labels at the beginning, from coarse to fine: it falls in even steps to `label_sigma`, which
    it reaches after two thirds of the training; 0 for `label_sigma` all along."""
    auxiliary: float = Field(default=0.0, ge=0)
    """Bins: weight of the loss of heat maps on the same trunk."""
    read_maps: bool = False
    """Bins: the heads see where the heat maps on the same trunk place their points, through two hidden layers."""
    frozen: bool = False
    """Bins: trunk and heat maps stay as `warm_start` has them; only what reads them learns."""
    seed: int = 0
    checkpoint_s: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints."""

    @field_validator("data", "validation", mode="before")
    @classmethod
    def _one_or_more(cls, folders: Any) -> Any:
        return (folders,) if isinstance(folders, str | Path) else folders

    @model_validator(mode="after")
    def _frozen_of_something(self) -> Self:
        if self.frozen and self.warm_start is None:
            raise ValueError("frozen keeps the weights of warm_start, which is not given: give it, or frozen=false")
        return self

    @field_validator("batch")
    @classmethod
    def _whole_chunks(cls, batch: int) -> int:
        if batch % CHUNK:
            raise ValueError(f"batch is {batch}, but images are augmented in groups of {CHUNK}: give a multiple of it")
        return batch
