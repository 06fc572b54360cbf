"""A folder of meshes, such as ShapeNet's CATEGORY/MODEL/models/model_normalized.obj, as shapes to train on."""

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull

from perception.errors import BlockworldError, ShapeError
from perception.shapes.reading import read_shape
from perception.shapes.sampling import area_samples

ENDINGS = (".obj", ".ply", ".off", ".stl", ".glb")
HELD_OUT = 10
"""One in so many meshes, by a checksum of its name."""
_SURPLUS = 4
_EYES = 40
_FLIP = 100.0  # radii of the sphere that points are mirrored in


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
        side = seen_from(points, normals)
        rows = np.flatnonzero(side)
        rows = rng.permutation(np.resize(rows, max(count, len(rows))) if len(rows) else np.arange(len(points)))[:count]
        return points[rows], np.where(side[rows, None] < 0, -1, 1) * normals[rows]


def seen_from(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N,) int: 1 for a point that is seen from outside on the side of its normal, -1 on the other, 0 for hidden ones.

    Katz et al., "Direct visibility of point sets" (SIGGRAPH 2007): mirrored in a sphere about an eye, what is seen from
    there lies on the convex hull.
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    moved = points - middle
    radius = float(np.linalg.norm(moved, axis=1).max())
    votes = np.zeros(len(points), int)
    for eye in _eyes() * 3 * radius:
        ways = moved - eye
        distance = np.linalg.norm(ways, axis=1, keepdims=True)
        mirrored = ways + 2 * (_FLIP * radius - distance) * ways / distance
        hull = ConvexHull(np.concatenate([mirrored, np.zeros((1, 3))])).vertices
        seen = hull[hull < len(points)]
        votes[seen] += np.where(np.einsum("nd,nd->n", ways[seen], normals[seen]) < 0, 1, -1)
    return np.sign(votes)


@lru_cache(maxsize=1)
def _eyes() -> np.ndarray:
    """(E, 3) unit vectors, even over the sphere: a golden spiral."""
    turn = np.arange(_EYES) * np.pi * (3 - np.sqrt(5))
    z = 1 - 2 * (np.arange(_EYES) + 0.5) / _EYES
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


@lru_cache(maxsize=4)
def _meshes_below(root: Path) -> tuple[str, ...]:
    def found() -> Iterator[str]:
        for path in root.rglob("*"):
            if path.suffix.lower() in ENDINGS and path.is_file():
                yield path.relative_to(root).as_posix()

    return tuple(sorted(found()))
