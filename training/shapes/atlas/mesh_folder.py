"""A folder of meshes, such as ShapeNet's CATEGORY/MODEL/models/model_normalized.obj, as shapes to train on."""

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from perception.errors import BlockworldError, ShapeError
from perception.shapes.reading import read_shape
from perception.shapes.sampling import area_samples
from perception.shapes.visibility import seen_side

ENDINGS = (".obj", ".ply", ".off", ".stl", ".glb")
HELD_OUT = 10
"""One in so many meshes, by a checksum of its name."""
_SURPLUS = 4


class MeshFolder:
    """Meshes below `root`, of the given categories (folders right below it) or of all."""

    def __init__(self, root: Path, categories: Sequence[str] | None) -> None:
        self.root, self._categories = root, categories

    def names(self, held_out: bool) -> list[str]:
        """Paths within the folder, sorted; raises BlockworldError where there are none."""
        if not self.root.is_dir():
            raise BlockworldError(f"the folder of meshes {self.root} does not exist: give one that does.")
        found = [
            name for name in _meshes_below(self.root)
            if (self._categories is None or name.partition("/")[0] in self._categories)
            and (zlib.crc32(name.encode()) % HELD_OUT == 0) == held_out
        ]  # fmt: skip
        if not found:
            raise BlockworldError(
                f"{self.root} has no {'held-out ' if held_out else ''}meshes ({' '.join(ENDINGS)}) in the categories "
                "that were asked for: give another folder, or more meshes."
            )
        return found

    def surface(self, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Even points (count, 3) of the mesh that are seen from outside, and normals (count, 3) that face there.

        Raises BlockworldError for a file that is no mesh.
        """
        try:
            shape = read_shape(self.root / name)
        except ShapeError as error:
            raise BlockworldError(str(error)) from None
        if shape.faces is None:
            raise BlockworldError(f"{self.root / name} is a cloud, not a mesh: take it out of the folder.")
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        points, faces, _ = area_samples(shape, _SURPLUS * count, rng)
        normals = shape.face_normals[faces]
        side = seen_side(points, normals)
        rows = np.flatnonzero(side)
        rows = rng.permutation(np.resize(rows, max(count, len(rows))) if len(rows) else np.arange(len(points)))[:count]
        return points[rows], np.where(side[rows, None] < 0, -1, 1) * normals[rows]


@lru_cache(maxsize=4)
def _meshes_below(root: Path) -> tuple[str, ...]:
    def found() -> Iterator[str]:
        for path in root.rglob("*"):
            if path.suffix.lower() in ENDINGS and path.is_file():
                yield path.relative_to(root).as_posix()

    return tuple(sorted(found()))
