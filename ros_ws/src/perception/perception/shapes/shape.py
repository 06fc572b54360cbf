"""A shape as plain data: the points of a mesh or of a cloud, checked once, so that whatever takes it need not."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from perception.errors import ShapeError

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

MOST_POINTS, MOST_FACES = 2_000_000, 4_000_000
FEWEST_POINTS, FEWEST_FACES = 10, 4
LARGEST_COORDINATE = 1e9
"""In whatever unit: sums of squares of what is smaller keep their digits."""
_THINNEST = 1e-6  # second extent of the points as a part of the first
_NEIGHBOURS = 12  # that a normal of a cloud is fitted to


@dataclass(frozen=True, eq=False)
class Shape:
    """Points (N, 3) float64, and triangles (M, 3) int64 between them, or None for a cloud.

    Any unit, order and direction of up will do; the mesh may be open, self-intersecting or not a manifold, and have
    points that no triangle uses. Raises ShapeError, one sentence, where there are too few or too many points or
    triangles, a coordinate is not finite or huge, a triangle has a corner that is not there, or all lies on one line.
    """

    points: Points
    faces: Faces | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _points_of(self.points))
        if self.faces is not None:
            object.__setattr__(self, "faces", _faces_of(self.faces, len(self.points)))
        elif len(self.points) < FEWEST_POINTS:
            raise ShapeError(
                f"the shape is a cloud of {len(self.points)} points, at least {FEWEST_POINTS} are needed: "
                "give a denser one.",
                "small",
            )
        corners = self.points if self.faces is None else self.points[np.unique(self.faces)]
        extents = np.linalg.svd((corners - corners.mean(axis=0)) / _size(corners), compute_uv=False)
        if not extents[1] > _THINNEST * extents[0]:
            raise ShapeError(
                "the points of the shape are all in one place or on one line: give a shape that has a surface.",
                "degenerate",
            )

    @cached_property
    def face_areas(self) -> Points:
        """(M,) areas of the triangles, none for a cloud."""
        return np.asarray(np.linalg.norm(self._crosses(), axis=1) / 2, dtype=np.float64)

    @cached_property
    def face_normals(self) -> Points:
        """(M, 3) unit normals of the triangles by their winding, +z where one has no area."""
        return _units(self._crosses())

    @cached_property
    def normals(self) -> Points:
        """(N, 3) unit normals of the points: of a mesh the area-weighted mean of the triangles around each, by their
        winding; of a cloud those of planes through neighbours, turned away from the centre. Where neither gives a
        direction it is +z."""
        found = self._normals_of_cloud() if self.faces is None else self._normals_of_mesh(self.faces)
        return _units(found)

    def _normals_of_mesh(self, faces: Faces) -> Points:
        found = np.zeros_like(self.points)
        crosses = self._crosses()
        for corner in range(3):
            np.add.at(found, faces[:, corner], crosses)
        return found

    def _normals_of_cloud(self) -> Points:
        count = min(_NEIGHBOURS, len(self.points))
        _, near = cKDTree(self.points).query(self.points, count)
        around = self.points[near] - self.points[near].mean(axis=1, keepdims=True)
        _, directions = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
        found: Points = np.asarray(directions[:, :, 0], dtype=np.float64)  # of least extent
        outward: Points = np.einsum("ni,ni->n", found, self.points - self.points.mean(axis=0))
        return np.asarray(np.where(outward[:, None] < 0, -found, found), dtype=np.float64)

    def _crosses(self) -> Points:
        """(M, 3) normals of the triangles, twice as long as these are large."""
        if self.faces is None:
            return np.zeros((0, 3))
        a, b, c = (self.points[self.faces[:, corner]] for corner in range(3))
        return np.asarray(np.cross(b - a, c - a), dtype=np.float64)


def _units(vectors: Points) -> Points:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1)
    return np.asarray(np.where(length > 0, unit, (0.0, 0.0, 1.0)), dtype=np.float64)


def _points_of(given: Any) -> Points:
    given = np.asarray(given)
    if given.dtype.kind not in "fiu":
        raise ShapeError(f"the points of a shape are numbers, not {given.dtype}: give real ones.")
    points = given.astype(np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ShapeError(f"the points of a shape are an array (N, 3), not one of shape {points.shape}.")
    if len(points) == 0:
        raise ShapeError("the shape is empty: it has no points.", "empty")
    if len(points) > MOST_POINTS:
        raise ShapeError(
            f"the shape has {len(points)} points, more than {MOST_POINTS}: thin or decimate it first.", "huge"
        )
    if bad := int((~np.isfinite(points)).any(axis=1).sum()):
        raise ShapeError(
            f"{bad} of {len(points)} points of the shape have coordinates that are no numbers (NaN or infinite): "
            "leave them out.",
            "nan",
        )
    if np.abs(points).max() > LARGEST_COORDINATE:
        raise ShapeError(
            f"the shape has coordinates beyond {LARGEST_COORDINATE:g}: give it in another unit or move it.", "huge"
        )
    return points


def _faces_of(given: Any, points: int) -> Faces:
    faces = np.array(given)
    if faces.ndim != 2 or faces.shape[1] != 3 or not np.issubdtype(faces.dtype, np.integer):
        raise ShapeError(f"the triangles of a shape are an integer array (M, 3), not {faces.dtype} {faces.shape}.")
    if len(faces) > MOST_FACES:
        raise ShapeError(
            f"the shape has {len(faces)} triangles, more than {MOST_FACES}: decimate it first.", "huge"
        )
    if len(faces) < FEWEST_FACES:
        told = {0: "no triangles", 1: "one triangle"}.get(len(faces), f"{len(faces)} triangles")
        raise ShapeError(
            f"the mesh has {told}, at least {FEWEST_FACES} are needed: give a whole surface, or its points alone.",
            "small",
        )
    if faces.min() < 0 or faces.max() >= points:
        wrong = int(faces.min() if faces.min() < 0 else faces.max())
        raise ShapeError(f"a triangle has the corner {wrong}, but there are {points} points, counted from 0.")
    return faces.astype(np.int64)


def _size(points: Points) -> float:
    """Longest side of the bounding box, or 1 where it is lost in the digits of the coordinates."""
    longest = float(np.ptp(points, axis=0).max())
    return longest if longest > 1e-12 * float(np.abs(points).max()) else 1.0
