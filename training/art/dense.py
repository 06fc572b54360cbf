"""How well the cells of a region fit everywhere in a picture, at every scale: dense cosine matching.

The cosine of two regions of unit vectors is the mean of the cosines of their cells, so that one product with all
cells of the picture is all the multiplications that there are; what is left is to add up, shifted, its rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.art.boxes import suppressed
from training.art.features import Features
from training.art.matching import Arithmetic, cosines
from training.art.regions import Region


@dataclass(frozen=True, eq=False)
class Found:
    """Boxes of one picture that a region fits to, best first."""

    boxes: NDArray[np.float64]
    """(N, 4) px."""
    scores: NDArray[np.float64]
    """(N,) cosines."""


def dense_cosine(
    region: NDArray[np.float16], grid: NDArray[np.float16], arithmetic: Arithmetic = "fastest"
) -> NDArray[np.float32]:
    """(h, w, C), (H, W, C) -> (H - h + 1, W - w + 1): the cosine with the region's first cell at each place."""
    height, width, channels = region.shape
    rows, columns = grid.shape[0] - height + 1, grid.shape[1] - width + 1
    if rows < 1 or columns < 1:
        return np.empty((max(rows, 0), max(columns, 0)), np.float32)
    every = cosines(region.reshape(-1, channels), grid.reshape(-1, channels), arithmetic)
    products = every.reshape(height, width, *grid.shape[:2])
    total = np.zeros((rows, columns), np.float32)
    for row in range(height):
        for column in range(width):
            total += products[row, column, row : row + rows, column : column + columns]
    return total / (height * width)


def found_in(region: Region, features: Features, most: int, overlap: float) -> Found:
    """The best boxes of a picture, at most so many, none of which overlap by more than `overlap`."""
    boxes, scores = [], []
    for grid in features.grids:
        fits = dense_cosine(region.grid, grid)
        if not fits.size:
            continue
        # Neighbours suppress each other all but surely: so many are enough for what is left to be `most`.
        top = np.argsort(-fits, axis=None, kind="stable")[: 8 * most]
        rows, columns = np.unravel_index(top, fits.shape)
        boxes.append(region.boxes_at(rows, columns, (grid.shape[0], grid.shape[1]), features.size))
        scores.append(fits.reshape(-1)[top].astype(np.float64))
    if not boxes:
        return Found(np.empty((0, 4)), np.empty(0))
    every, score = np.concatenate(boxes), np.concatenate(scores)
    kept = suppressed(every, score, overlap)[:most]
    return Found(every[kept], score[kept])
