"""Which of many pictures may show a box: dense cosine matching made some 40 times cheaper, all pictures in one pass.

Four of the seven scales; means of 2x2 cells, of which the box has a quarter as many; their 64 principal directions in
place of 256 channels; products of bytes. For a box of 8x8 cells and a picture of 16 to 9 that is 5.5 million
multiplications in place of 224. What comes first is then looked at in full.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

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


THINNED = 8
"""Of so many vectors, one is learned from: neighbours are nearly the same."""
BLOCK = 16
"""Pictures in one product."""
Sides = tuple[int, bool]
"""Cells along the longest side of small grids, and whether that is the height."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Small grids of pictures that are as long, lying, one below the other."""

    cells: NDArray[np.int8]
    """(R, W, D): upright ones are turned over their diagonal."""
    rows: tuple[int, ...]
    """Of each picture."""
    pictures: tuple[int, ...]
    """Their numbers."""

    @property
    def firsts(self) -> list[int]:
        """The first row of each."""
        return [0, *accumulate(self.rows)][:-1]


class CoarseIndex:
    """Small grids of all pictures, 0.4 MB for one of 3 : 2; pictures are numbers, in the order they were added."""

    def __init__(
        self, axes: NDArray[np.float32], config: CoarseConfig, stacks: Mapping[Sides, Sequence[Stack]] | None = None
    ) -> None:
        """axes: (C, D); stacks: what was in `stacks` of another one. Use `learned`."""
        self.axes, self.config = axes, config
        self._stacks = {sides: list(each) for sides, each in (stacks or {}).items()}
        numbers = {one for each in self._stacks.values() for stack in each for one in stack.pictures}
        self._count = len(numbers)

    @classmethod
    def learned(cls, sample: Iterable[Features], config: CoarseConfig | None = None) -> "CoarseIndex":
        """An empty one, of the principal directions of some pictures; not centred, so that cosines stay cosines.

        Raises InputError where no picture is given.
        """
        config = config or CoarseConfig()
        each = [_thinned(grid) for one in sample for grid in _chosen(one, config.cells)]
        if not each:
            raise InputError("A coarse index learns from pictures, and was given none.", "index")
        vectors = np.concatenate(each)
        vectors = vectors[:: max(1, -(-len(vectors) // config.learned_from))]
        _, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
        return cls(np.ascontiguousarray(axes[:, ::-1][:, : config.dimensions], np.float32), config)

    def __len__(self) -> int:
        return self._count

    @property
    def stacks(self) -> dict[Sides, list[Stack]]:
        """All grids."""
        return self._stacks

    def add(self, features: Features) -> int:
        """Add a picture; returns its number."""
        for grid in _chosen(features, self.config.cells):
            small = self._reduced(_pooled(grid))
            upright = small.shape[0] > small.shape[1]
            lying = np.ascontiguousarray(small.transpose(1, 0, 2)) if upright else small
            self._put((lying.shape[1], upright), Stack(lying, (len(lying),), (self._count,)))
        self._count += 1
        return self._count - 1

    def selected(self, numbers: Sequence[int]) -> "CoarseIndex":
        """One of some of its pictures, in that order; itself where these are all in their order."""
        if list(numbers) == list(range(self._count)):
            return self
        place = {number: new for new, number in enumerate(numbers)}
        made = CoarseIndex(self.axes, self.config)
        for sides, each in self._stacks.items():
            for stack in each:
                for first, rows, picture in zip(stack.firsts, stack.rows, stack.pictures, strict=True):
                    if picture in place:
                        made._put(sides, Stack(stack.cells[first : first + rows], (rows,), (place[picture],)))
        made._count = len(place)
        return made

    def scores(self, region: Region) -> NDArray[np.float64]:
        """(P,): about the best cosine of the region in each picture; -1 where it is larger than all grids."""
        pooled = self._reduced(_pooled(region.grid))
        kernel = pooled[:: 2 if pooled.shape[0] > 1 else 1, :: 2 if pooled.shape[1] > 1 else 1]
        turned = kernel.transpose(1, 0, 2)
        best = np.full(self._count, -1.0)
        for (_, upright), each in self._stacks.items():
            for stack in each:
                np.maximum.at(best, list(stack.pictures), _best(turned if upright else kernel, stack))
        return best

    def nearest(self, region: Region, count: int, without: int | None = None) -> list[int]:
        """The `count` pictures that fit best, best first."""
        order = np.argsort(-self.scores(region), kind="stable")
        return [int(one) for one in order if one != without][:count]

    def _put(self, sides: Sides, one: Stack) -> None:
        """A grid more; so many as go into one product become one stack."""
        each = self._stacks.setdefault(sides, [])
        each.append(one)
        last = each[-BLOCK:]
        if len(last) == BLOCK and all(len(stack.pictures) == 1 for stack in last):
            cells = np.concatenate([stack.cells for stack in last])
            rows, pictures = (tuple(getattr(one, name)[0] for one in last) for name in ("rows", "pictures"))
            each[-BLOCK:] = [Stack(cells, rows, pictures)]

    def _reduced(self, vectors: NDArray[np.float32]) -> NDArray[np.int8]:
        short = vectors @ self.axes
        short /= np.maximum(np.linalg.norm(short, axis=2, keepdims=True), 1e-6)
        return np.rint(short * LARGEST_INT8).astype(np.int8)


def _thinned(grid: NDArray[np.float16]) -> NDArray[np.float32]:
    """(h, w, C) -> (N, C) of its means, some of them."""
    return _pooled(grid).reshape(-1, grid.shape[2])[::THINNED]


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


def _best(kernel: NDArray[np.int8], stack: Stack) -> NDArray[np.float64]:
    """(h, w, D) -> (P,): the largest mean cosine of a kernel whose cells are two of a grid's apart."""
    height, width, dimensions = kernel.shape
    down, columns = 2 * (height - 1), stack.cells.shape[1] - 2 * (width - 1)
    best = np.full(len(stack.pictures), -1.0)
    large = [number for number, rows in enumerate(stack.rows) if rows > down]
    if columns < 1 or not large:
        return best
    every = products_of_bytes(kernel.reshape(-1, dimensions), stack.cells.reshape(-1, dimensions))
    products = every.reshape(height, width, *stack.cells.shape[:2])
    total = np.zeros((stack.cells.shape[0] - down, columns), every.dtype)
    for row in range(height):
        for column in range(width):
            total += products[row, column, 2 * row : 2 * row + len(total), 2 * column : 2 * column + columns]
    # Where the kernel would reach into the next picture's rows, it fits nowhere.
    along = np.append(total.max(axis=1), np.iinfo(np.int32).min)
    firsts = stack.firsts
    ends = np.array([[firsts[one], firsts[one] + stack.rows[one] - down] for one in large])
    best[large] = np.maximum.reduceat(along, ends.reshape(-1))[::2] / (LARGEST_INT8**2 * height * width)
    return best
