"""Sets of surfaces on disk: of each shape many even points with normals, in parts that survive an interruption.

A training draws other points of a shape each time it sees it.
"""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from perception.shapes.atlas.reconstruction import Placement
from training.shapes.atlas.mesh_folder import MeshFolder
from training.shapes.atlas.parts_on_disk import Rows, make_parts

CATEGORIES = (
    "chair", "table", "sofa", "cabinet", "lamp", "monitor", "speaker", "car", "plane", "boat", "bottle", "mug"
)  # fmt: skip
ROW = np.dtype([("point", "<f2", 3), ("normal", "i1", 3)])
LARGEST_NORMAL = 127


class SurfaceSetConfig(BaseModel):
    """Which shapes, how many, and how many points of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    """Where they are kept once made."""
    categories: tuple[str, ...] = CATEGORIES
    """Families of `sim.shapes`, which take turns."""
    meshes: Path | None = None
    """A folder of meshes instead, at any depth; of ShapeNet's layout too. The categories, where they are given, are
    its folders that are taken."""
    held_out: bool = False
    """Of meshes: the tenth that is held out, and not the rest."""
    shapes: int = Field(default=48_000, gt=0)
    points: int = Field(default=4000, gt=0)
    seed: int = 0
    part: int = Field(default=240, gt=0)
    """Shapes of one file."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        from sim.shapes import family

        for category in self.categories if self.meshes is None else ():
            family(category)  # raises ValueError
        return self


class SurfaceSet:
    """N shapes of P points each, in the unit ball around the middle of their bounding boxes, z up, facing +x."""

    def __init__(self, names: list[str], rows: Rows) -> None:
        self.names, self._rows = names, rows

    def __len__(self) -> int:
        return len(self._rows)

    @classmethod
    def built(cls, config: SurfaceSetConfig, progress: bool = True) -> Self:
        """The set of this configuration, of which what is missing is made on all cores.

        Raises BlockworldError for a folder with shapes of another configuration, and for one of meshes without any
        that can be read.
        """
        names, described = names_of(config), config.model_dump_json(exclude={"folder", "shapes"})
        make_parts(config.folder, "surfaces", described, names, config.part, partial(_sampled, config), progress)
        return cls(names, Rows(config.folder, "surfaces", len(names), config.part))

    def without(self, categories: Collection[str]) -> Self:
        """The same set but for the shapes of some categories."""
        kept = [number for number, name in enumerate(self.names) if name.split("/")[0] not in categories]
        return type(self)([self.names[number] for number in kept], self._rows.chosen(kept))

    def sample(self, index: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random points (count, 3) float32 of a shape, and their normals."""
        rows = self._rows[index]
        chosen = rows[rng.permutation(len(rows))[:count]]
        return chosen["point"].astype(np.float32), chosen["normal"].astype(np.float32) / LARGEST_NORMAL

    def first(self, index: int, count: int) -> np.ndarray:
        """(count, 3) float32: always the same points of a shape."""
        return self._rows[index][:count]["point"].astype(np.float32)

    def last(self, index: int, count: int) -> np.ndarray:
        """(count, 3) float32: always the same points of a shape, others than the first as far as there are."""
        return self._rows[index][-count:]["point"].astype(np.float32)


def names_of(config: SurfaceSetConfig) -> list[str]:
    """What each shape of the set is called: CATEGORY/SEED/INDEX, or the path of its mesh within the folder."""
    if config.meshes is not None:
        folder = MeshFolder(config.meshes, None if config.categories == CATEGORIES else config.categories)
        return folder.names(config.held_out)[: config.shapes]
    count = len(config.categories)
    return [f"{config.categories[i % count]}/{config.seed}/{i // count}" for i in range(config.shapes)]


def meshes_of(config: SurfaceSetConfig) -> list[str]:
    """What the meshes of the shapes are called in `sim.meshes`."""
    if config.meshes is not None:
        return [f"file/{(config.meshes / name).resolve()}" for name in names_of(config)]
    return [f"shape/{name}" for name in names_of(config)]


def surface_of(name: str, config: SurfaceSetConfig) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 3) of the shape's outer surface in the unit ball, everywhere as likely, and unit normals (P, 3)."""
    if config.meshes is not None:
        points, normals = MeshFolder(config.meshes, None).surface(name, config.points)
    else:
        from sim.random_streams import stream
        from sim.shapes import family
        from sim.shapes.surface import Outside

        category, seed, index = name.split("/")
        made = family(category).sample(stream(int(seed), int(index), f"shape {category}"))
        rng = stream(int(seed), int(index), f"surface {category}")
        points, normals = Outside(made.parts()).sample(config.points, rng)
    return Placement.of(points, np.eye(3)).apply(points), normals


def _sampled(config: SurfaceSetConfig, names: Sequence[str]) -> np.ndarray:
    rows = np.empty((len(names), config.points), ROW)
    for row, name in zip(rows, names, strict=True):
        points, normals = surface_of(name, config)
        row["point"], row["normal"] = points, np.rint(LARGEST_NORMAL * normals)
    return rows
