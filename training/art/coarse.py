"""Which of many pictures may show a box: dense cosine matching made some 40 times cheaper, all pictures in one pass.

Four of the seven scales; means of 2x2 cells, of which the box has a quarter as many; their 64 principal directions in
place of 256 channels; products of bytes. For a box of 8x8 cells and a picture of 16 to 9 that is 5.5 million
multiplications in place of 224. What comes first is then looked at in full.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.errors import InputError
from training.art.features import Features
from training.art.matching import LARGEST_INT8, products_of_bytes, single
from training.art.regions import Region


@dataclass(frozen=True)
class CoarseConfig:
    """How much is left of the features."""

    cells: tuple[int, ...] = (74, 49, 36, 20)
    """Grids with so many cells along their longest side, or nearly."""
    dimensions: int = 64
    learned_from: int = 40_000
    """Cells that the directions are learned from, at most."""


BLOCK = 16
"""Pictures in one product."""


class CoarseIndex:
    """Small grids of all pictures in memory, about 0.35 MB each; pictures are numbers, in the order they were added."""

    def __init__(self, axes: NDArray[np.float32], config: CoarseConfig) -> None:
        """axes: (C, D). Use `learned`."""
        self._axes, self.config, self._count = axes, config, 0
        self._grids: dict[tuple[int, int], list[NDArray[np.int8]]] = {}
        self._numbers: dict[tuple[int, int], list[int]] = {}

    @classmethod
    def learned(cls, sample: Iterable[Features], config: CoarseConfig | None = None) -> "CoarseIndex":
        """An empty one, of the principal directions of some pictures; not centred, so that cosines stay cosines.

        Raises InputError where no picture is given.
        """
        config = config or CoarseConfig()
        each = [_pooled(grid).reshape(-1, grid.shape[2]) for one in sample for grid in _chosen(one, config.cells)]
        if not each:
            raise InputError("A coarse index learns from pictures, and was given none.", "index")
        vectors = np.concatenate(each)
        vectors = vectors[:: max(1, -(-len(vectors) // config.learned_from))]
        _, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
        return cls(np.ascontiguousarray(axes[:, ::-1][:, : config.dimensions], np.float32), config)

    def __len__(self) -> int:
        return self._count

    def add(self, features: Features) -> int:
        """Add a picture; returns its number."""
        for grid in _chosen(features, self.config.cells):
            small = self._reduced(_pooled(grid))
            shape = (small.shape[0], small.shape[1])
            self._grids.setdefault(shape, []).append(small)
            self._numbers.setdefault(shape, []).append(self._count)
        self._count += 1
        return self._count - 1

    def scores(self, region: Region) -> NDArray[np.float64]:
        """(P,): about the best cosine of the region in each picture; -1 where it is larger than all grids."""
        pooled = self._reduced(_pooled(region.grid))
        kernel = pooled[:: 2 if pooled.shape[0] > 1 else 1, :: 2 if pooled.shape[1] > 1 else 1]
        best = np.full(self._count, -1.0)
        for shape, grids in self._grids.items():
            for first in range(0, len(grids), BLOCK):
                numbers = self._numbers[shape][first : first + BLOCK]
                np.maximum.at(best, numbers, _best(kernel, np.stack(grids[first : first + BLOCK])))
        return best

    def nearest(self, region: Region, count: int, without: int | None = None) -> list[int]:
        """The `count` pictures that fit best, best first."""
        order = np.argsort(-self.scores(region), kind="stable")
        return [int(one) for one in order if one != without][:count]

    def _reduced(self, vectors: NDArray[np.float32]) -> NDArray[np.int8]:
        short = vectors @ self._axes
        short /= np.maximum(np.linalg.norm(short, axis=2, keepdims=True), 1e-6)
        return np.rint(short * LARGEST_INT8).astype(np.int8)


def _chosen(features: Features, cells: Iterable[int]) -> list[NDArray[np.float16]]:
    numbers = {int(np.argmin([abs(max(one.shape[:2]) - wanted) for one in features.grids])): None for wanted in cells}
    return [features.grids[one] for one in numbers]


def _pooled(grid: NDArray[np.float16]) -> NDArray[np.float32]:
    """(h, w, C) -> (h - 1, w - 1, C) means of 2x2 cells at every place; a side of one cell stays."""
    values = single(grid)
    if values.shape[0] > 1:
        values = values[1:] + values[:-1]
    if values.shape[1] > 1:
        values = values[:, 1:] + values[:, :-1]
    return values


def _best(kernel: NDArray[np.int8], grids: NDArray[np.int8]) -> NDArray[np.float64]:
    """(h, w, D), (B, H, W, D) -> (B,): the largest mean cosine of a kernel whose cells are two of a grid's apart."""
    height, width, dimensions = kernel.shape
    count = len(grids)
    rows, columns = grids.shape[1] - 2 * (height - 1), grids.shape[2] - 2 * (width - 1)
    if rows < 1 or columns < 1:
        return np.full(count, -1.0)
    every = products_of_bytes(kernel.reshape(-1, dimensions), grids.reshape(-1, dimensions))
    products = every.reshape(height, width, *grids.shape[:3])
    total = np.zeros((count, rows, columns), every.dtype)
    for row in range(height):
        for column in range(width):
            total += products[row, column, :, 2 * row : 2 * row + rows, 2 * column : 2 * column + columns]
    return total.reshape(count, -1).max(axis=1) / (LARGEST_INT8**2 * height * width)
