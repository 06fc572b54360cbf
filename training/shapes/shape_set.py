"""Sets of training shapes on disk: of each shape the same places of its surface, in parts that survive an interruption.

A place is a point of a triangle of the category's topology, so that place i of all shapes, and of the template,
correspond. Places are spread by area over the template.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from tqdm import tqdm

from perception.errors import BlockworldError
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Shape

PLACES_FILE = "places.npz"


class Source(Protocol):
    """Where shapes of a category come from: all have the template's faces (F, 3)."""

    category: str
    faces: np.ndarray

    @property
    def template(self) -> np.ndarray:
        """(V, 3) float64 m."""
        ...

    def sample(self, rng: np.random.Generator, count: int) -> Tensor:
        """(B, V, 3) float32 m, shapes drawn from a stream."""
        ...


class ShapeSetConfig(BaseModel):
    """How many shapes, and how many places of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    shapes: int = Field(default=100_000, gt=0)
    places: int = Field(default=4096, gt=0)
    seed: int = 0
    part: int = Field(default=2000, gt=0)
    """Shapes of one file."""
    batch: int = Field(default=50, gt=0)
    """Shapes made at once."""


class ShapeSet:
    """Places (N, P, 3) of N shapes in m, the same places of the template (P, 3) float64, and the template's mesh."""

    def __init__(self, places: np.ndarray, mesh: Shape, parts: list[np.ndarray]) -> None:
        self.template, self.mesh, self._parts = places, mesh, parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @classmethod
    def built(cls, config: ShapeSetConfig, open_source: Callable[[], Source], progress: bool = True) -> Self:
        """The set of this configuration, of which what is missing is made."""
        missing = [number for number in range(-(-config.shapes // config.part)) if not _file(config, number).exists()]
        if missing:
            _make(config, missing, open_source(), progress)
        with np.load(config.folder / PLACES_FILE, allow_pickle=False) as stored:
            template, mesh = stored["template"], Shape(stored["vertices"], stored["faces"])
        parts = [np.load(_file(config, i), mmap_mode="r") for i in range(-(-config.shapes // config.part))]
        if any(part.shape[1:] != (config.places, 3) for part in parts) or len(template) != config.places:
            raise BlockworldError(f"{config.folder} holds shapes of another configuration: delete it, or name another.")
        return cls(template, mesh, parts)

    def shapes(self, indices: Tensor, places: Tensor) -> Tensor:
        """(B, Q, 3) float32 m: the places (Q,) or (B, Q) of the shapes with indices (B,)."""
        chosen, rows = np.searchsorted(self._ends, indices.numpy(), side="right"), places.numpy()
        starts = np.concatenate([[0], self._ends[:-1]])
        out = np.empty((len(indices), rows.shape[-1], 3), np.float32)
        for i, (part, index) in enumerate(zip(chosen, indices.numpy(), strict=True)):
            out[i] = self._parts[part][index - starts[part]][rows if rows.ndim == 1 else rows[i]]
        return torch.from_numpy(out)


def _make(config: ShapeSetConfig, missing: list[int], source: Source, progress: bool) -> None:
    config.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)  # whatever the seed of the shapes, so that sets of a category have the same places
    template, triangles, weights = area_samples(Shape(source.template, source.faces), config.places, rng)
    corners, factors = torch.from_numpy(source.faces[triangles]), torch.from_numpy(weights).float()[..., None]
    np.savez(config.folder / PLACES_FILE, template=template, vertices=source.template, faces=source.faces)
    bar = tqdm(total=len(missing) * config.part, unit=" shapes", desc=f"{source.category} shapes", disable=not progress)
    for number in missing:
        made = []
        left = min(config.part, config.shapes - number * config.part)
        for batch in range(-(-left // config.batch)):
            rng = np.random.default_rng((config.seed, 1, number, batch))
            vertices = source.sample(rng, min(config.batch, left - batch * config.batch))
            made.append((vertices[:, corners] * factors).sum(dim=2).half().numpy())
            bar.update(len(vertices))
        path = _file(config, number)
        scratch = path.with_suffix(".part")
        with scratch.open("wb") as file:
            np.save(file, np.concatenate(made))
        scratch.replace(path)
    bar.close()


def _file(config: ShapeSetConfig, number: int) -> Path:
    return config.folder / f"shapes-{number:05d}.npy"
