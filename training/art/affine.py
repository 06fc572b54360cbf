"""Affine maps between two pictures by RANSAC, all hypotheses at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_STRETCHED = 2.5
"""The longer half axis of what a circle becomes over the shorter; beyond, it is no copy."""
LARGEST_SCALE = 5.0
"""A detail is at most so many times as large, or as small, a share of the other picture."""


@dataclass(frozen=True)
class Tolerance:
    """How far a correspondence may be from where the map puts it, in cells of the source."""

    deviation: float
    """sigma of equation 2.8."""
    largest: float
    """Beyond this it is no inlier."""


def squared_errors(
    maps: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(H, 2, 3) maps, (M, 2) source and target cells -> (H, M): squares of distances in cells of the source.

    What is off in the target is divided by the map's scale, so that a large copy is not held to be less exact.
    """
    per_cell = 1 / np.sqrt(np.maximum(np.abs(determinants(maps)), 1e-12))[:, None]
    x = (maps[:, 0, :2] * per_cell) @ source.T + (maps[:, 0, 2:] - target[:, 0]) * per_cell
    y = (maps[:, 1, :2] * per_cell) @ source.T + (maps[:, 1, 2:] - target[:, 1]) * per_cell
    return x * x + y * y


def determinants(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, 2, 3) -> (H,): the area that a square of area 1 becomes, negative where it is mirrored."""
    return maps[:, 0, 0] * maps[:, 1, 1] - maps[:, 0, 1] * maps[:, 1, 0]


def weights(square: NDArray[np.float64], similarity: NDArray[np.float32], tolerance: Tolerance) -> NDArray[np.float64]:
    """What each correspondence adds to the sum of equation 2.8: exp(-e^2 / (2 sigma^2)) * s, and 0 beyond the
    tolerance. square: e^2."""
    inside = np.exp(square * (-0.5 / tolerance.deviation**2)) * similarity
    return np.where(square <= tolerance.largest**2, inside, 0.0)


def hypotheses(
    source: NDArray[np.float64], target: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """(M, 2), (M, 2) -> (H, 2, 3): the maps through `count` triples, without those that nothing would be copied by."""
    triples = (random.random((count, 3)) * len(source)).astype(np.int64)
    here, there = source[triples], target[triples]
    a, b = here[:, 1:] - here[:, :1], there[:, 1:] - there[:, :1]
    area = a[:, 0, 0] * a[:, 1, 1] - a[:, 0, 1] * a[:, 1, 0]
    # Neighbouring cells on a line tell nothing about what is across it.
    spread = np.abs(area) >= 2.0
    a, b, area = a[spread], b[spread], area[spread]
    inverse = np.stack([a[:, 1, 1], -a[:, 0, 1], -a[:, 1, 0], a[:, 0, 0]], axis=1).reshape(-1, 2, 2)
    linear = (inverse / area[:, None, None] @ b).transpose(0, 2, 1)
    shift = there[spread, 0] - np.einsum("hij,hj->hi", linear, here[spread, 0])
    maps = np.concatenate([linear, shift[:, :, None]], axis=2)
    return maps[plausible(maps)]


def plausible(maps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(H, 2, 3) -> (H,): whether a copyist could have done it: not mirrored, neither stretched nor scaled too much."""
    area = determinants(maps)
    squares = (maps[:, :, :2] ** 2).sum(axis=(1, 2))
    # Singular values p >= q: p^2 + q^2 is the sum of squares, p q the area; p / q = m where that sum is (m + 1/m) p q.
    shape = squares <= (MOST_STRETCHED + 1 / MOST_STRETCHED) * area
    return shape & (area >= LARGEST_SCALE**-2) & (area <= LARGEST_SCALE**2)


def best(
    source: NDArray[np.float64], target: NDArray[np.float64], similarity: NDArray[np.float32],
    maps: NDArray[np.float64], tolerance: Tolerance,
) -> NDArray[np.float64]:
    """Of the maps (H, 2, 3), H >= 1, the one with the largest sum of weights: (2, 3); the first of those as good."""
    return maps[int(weights(squared_errors(maps, source, target), similarity, tolerance).sum(axis=1).argmax())]


def fitted(
    source: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The map (2, 3) with the least weighted squares, or None where the points do not determine a plausible one."""
    total = weight.sum()
    if np.count_nonzero(weight) < 3 or total <= 0:
        return None
    middle, there = weight @ source / total, weight @ target / total
    a, b = source - middle, target - there
    (xx, xy), (_, yy) = (a * weight[:, None]).T @ a
    area = xx * yy - xy * xy
    if area < 1e-6 * total**2:
        return None
    inverse = np.array([[yy, -xy], [-xy, xx]]) / area
    linear = (inverse @ ((a * weight[:, None]).T @ b)).T
    found = np.concatenate([linear, (there - linear @ middle)[:, None]], axis=1)
    return found if plausible(found[None])[0] else None
