"""A box of a picture as cells of one of its grids: what is looked for, and where its matches are in px."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.art.boxes import Box, Size, checked_box
from training.art.features import MARGIN, STRIDE, Features, cell_centres, side_px
from training.art.matching import Cells

QUERY_CELLS = 8
"""Cells along the longest side of a query (ArtMiner)."""


@dataclass(frozen=True, eq=False)
class Region:
    """Part of a grid."""

    grid: NDArray[np.float16]
    """(h, w, C)."""
    corner: tuple[int, int]
    """Row and column of its first cell in the whole grid."""
    whole: tuple[int, int]
    """(h, w) of the whole grid."""
    size: Size
    """Of the picture, px."""
    box: Box
    """What was asked for, px, as far as it is in the picture."""
    beyond: tuple[float, float, float, float]
    """By how many cells the box goes beyond the middles of the outermost cells: left, top, right, bottom."""

    @classmethod
    def of(cls, features: Features, box: Sequence[float], longest: int = QUERY_CELLS) -> "Region":
        """The cells with their middles in the box, of the grid in which its longest side has as near as can be
        `longest` of them; of a box too small for any, the nearest.

        Raises InputError for a box that is none, or outside the picture.
        """
        inside = checked_box(box, features.size)
        share = max(inside[2:]) / max(features.size)
        grid = min(features.grids, key=lambda one: abs(np.log(share * max(one.shape[:2]) / longest)))
        return cls._cut(grid, inside, features.size)

    @classmethod
    def _cut(cls, grid: NDArray[np.float16], box: Box, size: Size) -> "Region":
        sides, firsts, beyond = [], [], []
        for axis in (1, 0):  # rows, columns
            count = grid.shape[1 - axis]
            low, high = (
                _cell(value / size[axis], count) for value in (box[axis], box[axis] + box[axis + 2])
            )
            first, last = int(np.ceil(low)), int(np.floor(high))
            if last < first:
                first = last = round((low + high) / 2)
            first, last = (min(max(one, 0), count - 1) for one in (first, last))
            sides.append(slice(first, last + 1))
            firsts.append(first)
            beyond.append((first - low, high - last))
        (top, bottom), (left, right) = beyond
        whole = (grid.shape[0], grid.shape[1])
        cut = np.ascontiguousarray(grid[sides[0], sides[1]])
        return cls(cut, (firsts[0], firsts[1]), whole, size, box, (left, top, right, bottom))

    @classmethod
    def tiles(cls, features: Features, longest: int, side: int = QUERY_CELLS, apart: int = 6) -> "list[Region]":
        """Overlapping tiles of a picture, `side` cells a side and about `apart` cells from one to the next, of the grid
        with `longest` cells along its longest side, or nearly; its outermost cells are left out where that can be."""
        grid = min(features.grids, key=lambda one: abs(max(one.shape[:2]) - longest))
        whole = (grid.shape[0], grid.shape[1])
        rows, columns = (_firsts(count, side, apart) for count in whole)
        found = []
        for row in rows:
            for column in columns:
                cut = np.ascontiguousarray(grid[row : row + side, column : column + side])
                corners = [
                    (_share(np.array([first - 0.5, first + extent - 0.5]), count) * px).tolist()
                    for first, extent, count, px in zip(
                        (column, row), cut.shape[1::-1], whole[::-1], features.size, strict=True
                    )
                ]
                (x, right), (y, bottom) = corners
                box = (x, y, right - x, bottom - y)
                found.append(cls(cut, (row, column), whole, features.size, box, (0.5, 0.5, 0.5, 0.5)))
        return found

    def cells(self) -> Cells:
        """Its cells, where they are in the whole grid."""
        rows, columns = (
            slice(first, first + count) for first, count in zip(self.corner, self.grid.shape[:2], strict=True)
        )
        number = np.arange(self.whole[0] * self.whole[1]).reshape(self.whole)[rows, columns].reshape(-1)
        centres = cell_centres(self.whole)[rows, columns].reshape(-1, 2)
        return Cells(self.grid.reshape(-1, self.grid.shape[2]), np.arange(len(number)), centres, number, self.whole)

    def boxes_at(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int], size: Size
    ) -> NDArray[np.float64]:
        """(N, 4) boxes px in a picture of a size, in whose grid of a shape the first cells match at (N,) places."""
        left, top, right, bottom = self.beyond
        height, width = self.grid.shape[:2]
        x = [_share(columns - left, shape[1]), _share(columns + width - 1 + right, shape[1])]
        y = [_share(rows - top, shape[0]), _share(rows + height - 1 + bottom, shape[0])]
        (x0, x1), (y0, y1) = (
            [np.clip(one, 0, 1) * side for one in ends] for ends, side in ((x, size[0]), (y, size[1]))
        )
        return np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)


def _cell(share: float, count: int) -> float:
    """From [0, 1] along a side to cells, 0 in the middle of the first."""
    return (share * side_px(count) - MARGIN / 2) / STRIDE


def _firsts(count: int, side: int, apart: int) -> list[int]:
    """Where tiles begin along a side of so many cells."""
    last = max(count - side - 1, 0)
    first = min(1, last)
    steps = max(1, round((last - first) / apart) + 1)
    return sorted({round(one) for one in np.linspace(first, last, steps).tolist()})


def _share(cell: NDArray[np.floating], count: int) -> NDArray[np.floating]:
    return (cell * STRIDE + MARGIN / 2) / side_px(count)
