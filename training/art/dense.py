"""How well the cells of a region fit everywhere in a picture, at every scale: dense cosine matching.

The cosine of two regions of unit vectors is the mean of the cosines of their cells, so that one product with all
cells of the picture is all the multiplications that there are; what is left is to add up, shifted, its rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.art.boxes import Size, suppressed
from training.art.matching import Products
from training.art.regions import Region


@dataclass(frozen=True, eq=False)
class Found:
    """Boxes of one picture that a region fits to, best first."""

    boxes: NDArray[np.float64]
    """(N, 4) px."""
    scores: NDArray[np.float64]
    """(N,) cosines."""


def dense_cosine(products: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(N, H, W) products of the N = h w cells of a region of a shape with those of a grid -> (H - h + 1, W - w + 1):
    their mean where the region's first cell is laid on each place."""
    height, width = shape
    rows, columns = products.shape[1] - height + 1, products.shape[2] - width + 1
    if rows < 1 or columns < 1:
        return np.empty((max(rows, 0), max(columns, 0)), np.float32)
    total = np.zeros((rows, columns), products.dtype)
    for number, each in enumerate(products):
        row, column = divmod(number, width)
        total += each[row : row + rows, column : column + columns]
    return np.divide(total, height * width, dtype=np.float32)


def found_in(region: Region, size: Size, products: Products, most: int, overlap: float) -> Found:
    """The best boxes of a picture of a size px, at most so many, none of which overlap by more than `overlap`.

    products: of the region's cells with those of the picture.
    """
    boxes, scores = [], []
    for each in products.values:
        fits = dense_cosine(each, region.grid.shape[:2])
        if not fits.size:
            continue
        # Neighbours suppress each other all but surely: so many are enough for what is left to be `most`.
        top = _largest(fits, 8 * most)
        rows, columns = np.unravel_index(top, fits.shape)
        boxes.append(region.boxes_at(rows, columns, each.shape[1:], size))
        scores.append(products.unit * fits.reshape(-1)[top].astype(np.float64))
    if not boxes:
        return Found(np.empty((0, 4)), np.empty(0))
    every, score = np.concatenate(boxes), np.concatenate(scores)
    kept = suppressed(every, score, overlap, most)
    return Found(every[kept], score[kept])


def _largest(values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Where the largest of all values are, best first; of those as good, the first come first."""
    flat = values.reshape(-1)
    if len(flat) > count:
        least = np.partition(flat, len(flat) - count)[len(flat) - count]
        among = np.flatnonzero(flat >= least)
    else:
        among = np.arange(len(flat))
    return among[np.argsort(-flat[among], kind="stable")[:count]]
