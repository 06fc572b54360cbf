"""Configuration of a localization network's training."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LocalizationConfig(BaseModel):
    """One network: what it sees, how large it is and how long it trains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["coarse", "tool", "fine"]
    data: Path
    """Data set of training images, made by `blockworld dataset build`."""
    validation: Path
    """Data set of held-out images."""
    out: Path
    """Folder of checkpoints, log and previews."""
    warm_start: Path | None = None
    """Weights of another recipe to begin with: its weights.pt; layers of another shape begin at random."""
    widths: tuple[int, ...] = (32, 64, 96, 128)
    """Channels at strides 4, 8, 16 and 32."""
    depths: tuple[int, ...] = (1, 2, 2, 1)
    """Residual blocks at each of those strides."""
    stem: int = Field(default=24, gt=0)
    """Channels at stride 2."""
    head: int = Field(default=48, gt=0)
    """Channels of the decoder."""
    samples: int = Field(default=150_000, gt=0)
    """Images to train on, with repetition."""
    batch: int = Field(default=64, gt=0)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    target_sigma: float = Field(default=1.0, gt=0)
    """Width of a target's Gaussian in heat map cells."""
    seed: int = 0
    checkpoint_s: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints."""
