"""Features of pictures that were never painted: smooth random fields, with parts of one carried into another."""

import numpy as np
from numpy.typing import NDArray

from training.art.features import SCALES, Features, cell_centres, grid_shape

CHANNELS = 64
KNOTS = 40
"""Of a picture along a side: neighbouring cells are alike in the finest grids, and unlike in the coarsest."""
DETAIL_KNOTS = 12
"""Of a detail, which is a third of a picture."""


class Field:
    """A random vector at every point of [0, 1]^2."""

    def __init__(self, seed: int, knots: int = KNOTS) -> None:
        self._values = np.random.default_rng(seed).normal(size=(knots, knots, CHANNELS)).astype(np.float32)

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """(..., 2) -> (..., C), bilinear."""
        last = self._values.shape[0] - 1
        along = np.clip(points * last, 0, last - 1e-3)
        x, y = np.moveaxis(along.astype(np.int64), -1, 0)
        u, v = np.moveaxis((along % 1)[..., None].astype(np.float32), -2, 0)
        upper = self._values[y, x] * (1 - u) + self._values[y, x + 1] * u
        lower = self._values[y + 1, x] * (1 - u) + self._values[y + 1, x + 1] * u
        return upper * (1 - v) + lower * v


def detail(seed: int) -> Field:
    """What is put into several pictures."""
    return Field(seed, DETAIL_KNOTS)


def placed(centre: tuple[float, float], size: tuple[float, float], turn_deg: float = 0.0) -> NDArray[np.float64]:
    """(2, 3): from [0, 1]^2 of a detail to [0, 1]^2 of the picture that it is put into."""
    turn = np.deg2rad(turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.diag(size)
    return np.column_stack([linear, np.asarray(centre) - linear @ [0.5, 0.5]])


def picture(
    seed: int, details: tuple[tuple[Field, NDArray[np.float64]], ...] = (), noise: float = 0.3,
    size: tuple[int, int] = (800, 450), scales: tuple[int, ...] = SCALES,
) -> Features:
    """One of its own field, with details in it: (field of the detail, where `placed` puts it)."""
    random = np.random.default_rng(seed)
    own = Field(10_000 + seed)
    grids = []
    for scale in scales:
        points = cell_centres(grid_shape(size, scale)).astype(np.float64)
        values = own.at(points)
        for field, affine in details:
            inverse = np.linalg.inv(affine[:, :2])
            within = (points - affine[:, 2]) @ inverse.T
            inside = ((within >= 0) & (within <= 1)).all(axis=-1)
            values[inside] = field.at(within[inside])
        values = values + noise * np.abs(values).mean() * random.normal(size=values.shape).astype(np.float32)
        grids.append((values / np.linalg.norm(values, axis=2, keepdims=True)).astype(np.float16))
    return Features(size, tuple(grids))


def composed(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): from the picture that `first` puts a detail into to the one that `second` does."""
    bottom = [0.0, 0.0, 1.0]
    return (np.vstack([second, bottom]) @ np.linalg.inv(np.vstack([first, bottom])))[:2]


def box_of(affine: NDArray[np.float64], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The box px around a detail."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ affine[:, :2].T + affine[:, 2]
    low, high = corners.min(axis=0) * size, corners.max(axis=0) * size
    x, y, w, h = (float(one) for one in (*low, *(high - low)))
    return x, y, w, h
