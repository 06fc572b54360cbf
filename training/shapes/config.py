"""Configuration of a deformation network's training."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perception.shapes.categories import Category
from training.shapes.shape_set import ShapeSetConfig

Supervision = Literal["correspondences", "regularized", "chamfer"]


class ShapesConfig(BaseModel):
    """One network: which shapes it deforms its template to, how large it is, how it learns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Category
    supervision: Supervision = "correspondences"
    """What it learns from: where each place belongs (equation 3.1), or the shapes alone: Chamfer distance with the
    regularization of equation 3.2, or without."""
    data: ShapeSetConfig
    """Shapes to train on. What is missing of them is made."""
    validation: ShapeSetConfig
    """Held-out shapes, the same."""
    out: Path
    """Folder of checkpoints and log."""
    warm_start: Path | None = None
    """Weights to begin with, of a network of the same size: its weights.pt, or the folder of its bundle."""
    encoder: tuple[int, ...] = (64, 128, 1024)
    """Channels of each point."""
    decoder: tuple[int, ...] = (1024, 512, 254, 128)
    """Channels of each point of the template."""
    latent: int = Field(default=1024, gt=0)
    points: int = Field(default=1024, gt=0)
    """Points of a shape that the encoder sees."""
    places: int = Field(default=512, gt=0)
    """Points of a shape that the loss compares; of the template as many, or all its vertices without
    correspondences."""
    template_vertices: int = Field(default=1500, gt=0)
    """Without correspondences: the template is simplified to at most so many vertices."""
    shapes: int = Field(default=500_000, gt=0)
    """Shapes to train on, with repetition."""
    batch: int = Field(default=64, gt=0)
    """Shapes per step and process."""
    micro_batch: int = Field(default=16, gt=0)
    """Shapes that pass through the network together: so few that a processor's caches hold what is between layers."""
    optimiser: Literal["adam", "muon"] = "adam"
    """Muon for weight matrices (Jordan et al., 2024; Liu et al., 2025), Adam for all else; or Adam for all."""
    learning_rate: float = Field(default=1e-3, gt=0)
    bfloat16: bool = True
    """Matrix products in bfloat16 where the device has them, weights and what is optimised in single precision."""
    single_share: float = Field(default=0.1, ge=0, le=1)
    """Last part of the training that is done in single precision throughout."""
    laplacian: float = Field(default=5e-3, ge=0)
    """Weight of the Laplacian term."""
    edges: float = Field(default=5e-3, ge=0)
    """Weight of the edge lengths' term."""
    warm_steps: int = Field(default=200, ge=0)
    """Without correspondences: steps in which every shape is to give the undeformed template."""
    turn_rad: float = Field(default=0.35, ge=0)
    """Shapes are turned by up to this angle about any axis."""
    noise: float = Field(default=0.01, ge=0)
    """Standard deviation of the noise of noisy shapes, in RMS radii of a shape."""
    noisy_share: float = Field(default=0.3, ge=0, le=1)
    partial_share: float = Field(default=0.2, ge=0, le=1)
    """Shapes of which the encoder sees a part alone; with correspondences only."""
    seed: int = 0
    checkpoint_s: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch % self.micro_batch:
            raise ValueError(
                f"batch is {self.batch}, which is no multiple of micro_batch {self.micro_batch}: give one that is"
            )
        if self.points + self.places > min(self.data.places, self.validation.places):
            raise ValueError(
                f"points {self.points} and places {self.places} are more than the {self.data.places} and "
                f"{self.validation.places} places of the data's shapes: give fewer, or more places"
            )
        return self

    @property
    def unsupervised(self) -> bool:
        """Whether correspondences are kept from the network."""
        return self.supervision != "correspondences"
