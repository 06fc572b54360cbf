"""Regular grids over charts: the unit square and the unit sphere, as points with triangles between them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.shapes.sampling import subdivided
from perception.shapes.shape import Faces, Points

_GOLDEN = (1 + math.sqrt(5)) / 2


@dataclass(frozen=True, eq=False)
class Grid:
    """points (N, D) of one chart; faces (F, 3) between them; uv (N, 2) in the unit square."""

    points: Points
    faces: Faces
    uv: Points


def square_grid(count: int) -> Grid:
    """About `count` points, as many as its two sides can make, evenly over the unit square [0, 1]^2, its border
    included."""
    side = max(2, round(math.sqrt(count)))
    sides = side, max(2, round(count / side))
    points = np.stack(np.meshgrid(*(np.linspace(0, 1, one) for one in sides), indexing="ij"), axis=-1).reshape(-1, 2)
    index = np.arange(len(points)).reshape(sides)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    return Grid(points, faces, points)


def sphere_grid(count: int) -> Grid:
    """An icosahedron split into at least `count` points, moved onto the unit sphere; uv: longitude and latitude."""
    points, faces = _icosahedron()
    while len(points) < count:
        points, faces = subdivided(points, faces)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    longitude = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) + 0.5
    latitude = np.arcsin(points[:, 2].clip(-1, 1)) / np.pi + 0.5
    return Grid(points, faces, np.stack([longitude, latitude], axis=1))


def square_points(rng: np.random.Generator, charts: int, count: int) -> NDArray[np.float64]:
    """(charts, count, 2) points of the unit square, everywhere as likely."""
    return rng.random((charts, count, 2))


def sphere_points(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """(1, count, 3) points of the unit sphere, everywhere as likely."""
    ways = rng.normal(size=(1, count, 3))
    return np.asarray(ways / np.linalg.norm(ways, axis=2, keepdims=True))


def _icosahedron() -> tuple[Points, Faces]:
    points = np.array(
        [(-1, _GOLDEN, 0), (1, _GOLDEN, 0), (-1, -_GOLDEN, 0), (1, -_GOLDEN, 0)]
    )
    points = np.concatenate([points, np.roll(points, 1, axis=1), np.roll(points, 2, axis=1)])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    # Corners are a face where all three are neighbours of each other.
    near = np.linalg.norm(points[:, None] - points, axis=2) < 1.2
    faces = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    found = np.array(faces)
    a, b, c = (points[found[:, corner]] for corner in range(3))
    outward = np.einsum("fd,fd->f", np.cross(b - a, c - a), a + b + c) > 0
    return points, np.where(outward[:, None], found, found[:, ::-1])
