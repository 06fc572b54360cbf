"""Which points of a surface are seen from outside, and from which of its sides.

Katz et al., "Direct visibility of point sets" (SIGGRAPH 2007): mirrored in a sphere about an eye, what is seen from
there lies on the convex hull.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from perception.shapes.shape import Points

_EYES = 40
_DISTANCE = 3.0  # of the eyes, in radii of the points
_MIRROR = 100.0  # radius of the sphere


def seen_side(points: Points, normals: Points) -> NDArray[np.int64]:
    """(N,): 1 for a point that eyes all around see on the side of its normal, -1 on the other, 0 for a hidden one."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    moved = points - middle
    radius = float(np.linalg.norm(moved, axis=1).max())
    votes = np.zeros(len(points), np.int64)
    for eye in _DISTANCE * radius * _eyes():
        seen = seen_from(moved, eye, _MIRROR * radius)
        votes[seen] += np.where(np.einsum("nd,nd->n", moved[seen] - eye, normals[seen]) < 0, 1, -1)
    return np.sign(votes)


def seen_from(points: Points, eye: Points, mirror_radius: float) -> NDArray[np.intp]:
    """Numbers, sorted, of the points (N, 3) that an eye (3,) sees. mirror_radius: of the sphere about the eye; the
    larger, the more of what curves away counts as seen."""
    ways = points - eye
    distance = np.linalg.norm(ways, axis=1, keepdims=True)
    mirrored = ways + 2 * (mirror_radius - distance) * ways / distance
    hull = ConvexHull(np.concatenate([mirrored, np.zeros((1, 3))])).vertices
    return np.sort(hull[hull < len(points)])


@lru_cache(maxsize=1)
def _eyes() -> Points:
    """(E, 3) unit vectors, even over the sphere: a golden spiral."""
    turn = np.arange(_EYES) * np.pi * (3 - np.sqrt(5))
    z = 1 - 2 * (np.arange(_EYES) + 0.5) / _EYES
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
