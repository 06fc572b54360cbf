"""Samples that cover a surface evenly, whatever the triangles or the density of the points that it is given by."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from perception.shapes.shape import Faces, Points, Shape

_CANDIDATES = 4
"""Per sample that is kept: the farthest of so many are spread nearly as a Poisson disk is."""
_OUTLIER_NEIGHBOURS = 8
_OUTLIER_DISTANCE = 6.0
"""Medians: points of a cloud farther than this from their neighbours belong to nothing."""
_LARGEST_AREA = 9.0  # medians
_SPIKE, _FEWEST_SPIKES = 1.8, 5
"""Lengths of the edges around a point of a mesh: one farther than this from their middle is noise, not surface.
Fewer are tips of cones."""
_MOST_THINNED = 300_000
_HALVINGS = 12  # of the longest side, so that cells have 20 bits of the key a side


def area_samples(shape: Shape, count: int, rng: np.random.Generator) -> tuple[Points, NDArray[np.int64], Points]:
    """Random points of a mesh's surface, each part as likely as its area: points (count, 3), the triangle (count,) of
    each, and its weights (count, 3) of the triangle's corners. Osada et al., "Shape distributions", 2002, section 4.
    """
    assert shape.faces is not None
    edges = np.cumsum(shape.face_areas)
    chosen = np.searchsorted(edges, rng.random(count) * edges[-1], side="right").clip(max=len(edges) - 1)
    root, along = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=1)
    return np.einsum("nc,ncd->nd", weights, shape.points[shape.faces[chosen]]), chosen, weights


def regular_samples(shape: Shape, count: int, seed: int = 0) -> Points:
    """(count, 3) points spread evenly over the surface of a mesh, leaving out its spikes; of a cloud so many of its
    points, or all that it has but for those that lie by themselves. Equal arguments give equal samples."""
    candidates = surface_samples(shape, _CANDIDATES * count, seed)
    return candidates[farthest_points(candidates, count)]


def surface_samples(shape: Shape, count: int, seed: int = 0) -> Points:
    """(N, 3) of a surface in great number: random ones of a mesh, by area, and of a cloud its own, as even as they are
    to be had; without spikes and what lies by itself, as in `regular_samples`."""
    rng = np.random.default_rng(seed)
    if shape.faces is None:
        return _thinned(_without_outliers(shape.points), count, rng)
    return area_samples(_without_spikes(shape), count, rng)[0]


def sample_areas(samples: Points) -> Points:
    """(N,) how much of a surface each of its samples (N, 3) stands for, in squared units of theirs: by the distance of
    its neighbours. Farthest points of a cloud that is thin somewhere are still not even there."""
    neighbours = min(_OUTLIER_NEIGHBOURS, len(samples) - 1)
    areas = cKDTree(samples).query(samples, neighbours + 1)[0][:, 1:].mean(axis=1) ** 2
    # Beyond that a sample is more likely to be alone than to stand for so much.
    return np.minimum(areas, _LARGEST_AREA * np.median(areas))


def tidied(shape: Shape, most: int) -> Shape:
    """The shape without what belongs to no surface: points of a cloud that lie by themselves, spikes of a mesh and
    points that no triangle uses. A cloud of more than `most` points is thinned to hardly more than these, evenly."""
    if shape.faces is None:
        rng = np.random.default_rng(0)
        some = shape.points[rng.permutation(len(shape.points))[:_MOST_THINNED]]
        return Shape(_thinned(_without_outliers(some), most, rng))
    faces = _without_spikes(shape).faces
    assert faces is not None
    used, corners = np.unique(faces, return_inverse=True)
    return Shape(shape.points[used], corners.reshape(-1, 3))


def farthest_points(points: Points, count: int) -> NDArray[np.int64]:
    """Indices (min(count, N),) of points (N, 3), each the one that is farthest from those before it, beginning with the
    first. Eldar et al., "The farthest point strategy for progressive image sampling", 1997."""
    columns = np.ascontiguousarray(points.T, dtype=np.float32)
    chosen = np.zeros(min(count, len(points)), dtype=np.int64)
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    for i in range(1, len(chosen)):
        away = columns - columns[:, chosen[i - 1], None]
        np.minimum(nearest, np.einsum("dn,dn->n", away, away), out=nearest)
        chosen[i] = nearest.argmax()
    return chosen


def subdivided(points: Points, faces: Faces) -> tuple[Points, Faces]:
    """The mesh with every triangle split into four at the middles of its edges; the points come first, as they were."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)  # (M, 3, 2)
    unique, inverse = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    middle = len(points) + inverse.reshape(-1, 3)
    a, b, c = faces.T
    ab, bc, ca = middle.T
    quarters = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return np.concatenate([points, points[unique].mean(axis=1)]), quarters


def _without_outliers(points: Points) -> Points:
    """The points that are about as far from their neighbours as most are from theirs."""
    neighbours = min(_OUTLIER_NEIGHBOURS, len(points) - 1)
    distance = cKDTree(points).query(points, neighbours + 1)[0][:, 1:].mean(axis=1)
    kept = distance <= _OUTLIER_DISTANCE * np.median(distance)
    return points[kept] if kept.any() else points


def _without_spikes(shape: Shape) -> Shape:
    """The mesh without the triangles at points that stick far out of their neighbours. A few such points, as of a
    scanner's noise, can make more area than the rest."""
    assert shape.faces is not None
    # Of triangles that share no points, as in .stl files, every acute tip would seem to stick out.
    points, same = np.unique(shape.points, axis=0, return_inverse=True)
    faces = same.reshape(-1)[shape.faces]
    middle, length, count = np.zeros_like(points), np.zeros(len(points)), np.zeros(len(points))
    for corner in range(3):
        own, first, second = (faces[:, (corner + i) % 3] for i in range(3))
        np.add.at(middle, own, (points[first] + points[second]) / 2)
        np.add.at(length, own, np.linalg.norm(points[first] - points[second], axis=1))
        np.add.at(count, own, 1)
    away = np.linalg.norm(count[:, None] * points - middle, axis=1)
    spikes = away > _SPIKE * length
    kept = shape.faces[~spikes[faces].any(axis=1)]
    noisy = spikes.sum() >= _FEWEST_SPIKES and len(kept) > len(shape.faces) // 2
    return Shape(shape.points, kept) if noisy else shape


def _thinned(points: Points, count: int, rng: np.random.Generator) -> Points:
    """At least `count` of the points, and not many more, evenly: a random one of each occupied cell of a grid. All
    where there are no more."""
    shuffled = points[rng.permutation(len(points))[:_MOST_THINNED]]
    first = np.arange(len(shuffled))
    low = shuffled.min(axis=0)
    finest, coarsest = 0.0, float(np.ptp(shuffled, axis=0).max())
    for _ in range(_HALVINGS if len(shuffled) > count else 0):
        side = (finest + coarsest) / 2
        x, y, z = np.floor((shuffled - low) / side).astype(np.int64).T
        occupied = np.unique((x << 40) + (y << 20) + z, return_index=True)[1]
        if len(occupied) < count:
            coarsest = side
        else:
            finest, first = side, occupied
    return shuffled[np.sort(first)]
