"""How far a reconstruction is from a shape, both in the unit ball around the middle of the shape's bounding box.

- Chamfer distance: the mean squared distance from each of 2,500 points to the nearest of 2,500 of the other, both ways,
  summed, times 1000.
- F-score: harmonic mean of precision and recall, the shares of these points whose squared distance is below 0.001.
- METRO (Cignoni et al., "Metro: measuring error on simplified surfaces", 1998): distances from random points of one
  surface to the nearest point of the other, its triangles and not its vertices; of both ways the larger mean, and the
  larger maximum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from perception.shapes.sampling import area_samples
from perception.shapes.shape import Shape

POINTS = 2500
THRESHOLD = 0.001
METRO_POINTS = 10_000
_DENSE = 40_000
_CANDIDATES = 8


def chamfer_and_f_score(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Chamfer distance times 1000 and F-score between points (N, 3) and (M, 3)."""
    there = cKDTree(truth).query(found)[0] ** 2
    back = cKDTree(found).query(truth)[0] ** 2
    precision, recall = float((there < THRESHOLD).mean()), float((back < THRESHOLD).mean())
    both = precision + recall
    return 1000 * float(there.mean() + back.mean()), 2 * precision * recall / both if both else 0.0


@dataclass(frozen=True)
class Metro:
    """Distances between two surfaces: the larger of both ways' means, and of both ways' maxima."""

    mean: float
    largest: float


def metro(found: Shape, truth: Shape, truth_points: np.ndarray | None = None) -> Metro:
    """Between two meshes. truth_points (N, 3): of the outer surface of the truth, where its mesh has an inside too."""
    rng = np.random.default_rng(0)
    own = area_samples(found, METRO_POINTS, rng)[0]
    other = area_samples(truth, METRO_POINTS, rng)[0] if truth_points is None else truth_points
    there, back = surface_distances(own, truth), surface_distances(other, found)
    return Metro(float(max(there.mean(), back.mean())), float(max(there.max(), back.max())))


def surface_distances(points: np.ndarray, mesh: Shape) -> np.ndarray:
    """(N,) distances of points (N, 3) from a mesh's triangles: of those that the nearest of many random points of the
    surface lie on, the nearest."""
    dense, owners, _ = area_samples(mesh, _DENSE, np.random.default_rng(1))
    assert mesh.faces is not None
    _, near = cKDTree(dense).query(points, _CANDIDATES)
    corners = mesh.points[mesh.faces[owners[near]]]  # (N, 8, 3, 3)
    flat = triangle_distances(np.repeat(points, _CANDIDATES, axis=0), corners.reshape(-1, 3, 3))
    return np.asarray(flat.reshape(len(points), _CANDIDATES).min(axis=1))


def triangle_distances(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N,) distances of points (N, 3) from triangles (N, 3, 3), one each: to the plane within the triangle, to an edge
    elsewhere."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    square = np.einsum("nd,nd->n", normal, normal)
    inside = square > 0
    edges = np.full(len(points), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        share = np.einsum("nd,nd->n", points - start, along) / np.maximum(np.einsum("nd,nd->n", along, along), 1e-300)
        away = points - start - np.clip(share, 0, 1)[:, None] * along
        edges = np.minimum(edges, np.einsum("nd,nd->n", away, away))
        inside &= np.einsum("nd,nd->n", np.cross(along, points - start), normal) >= 0
    plane = np.einsum("nd,nd->n", points - a, normal) ** 2 / np.where(square > 0, square, 1)
    return np.sqrt(np.where(inside, plane, edges))
