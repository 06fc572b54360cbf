"""Which class a picture of a mark is of: classes ranked by their best reference, in any orientation.

After Shen et al., "Large-scale historical watermark recognition: dataset and a new consistency-based approach" (ICPR
2020): each cell of the query is matched with the most similar one of the reference, and counts as far as it is where
the others say. There cells have to stay in place; here they vote for a shift, and the reference's cells, matched with
the query's, vote as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.art.features import Features
from training.art.matching import products_of_bytes, single, step_of_bytes, whole_numbers
from training.art.recognition.marks import QUERY_CELLS, Query
from training.art.recognition.orientations import ORIENTATIONS, Orientation


@dataclass(frozen=True)
class RecognitionConfig:
    """How references are compared."""

    reach: int = 8
    """Cells that a mark may be shifted by, against the middle of the picture."""
    likely: int = 50
    """References that are compared at all scales: those best at the query's own."""


@dataclass(frozen=True)
class Ranked:
    """A class, as its best reference has it."""

    label: str
    score: float
    """In [0, 1]: the mean cosine of cells that agree about a shift, over all cells."""
    reference: int
    """Number of that reference."""
    orientation: Orientation
    """How the query is mirrored and turned to lie as the reference does."""


def ranked_classes(
    query: Query, references: Callable[[int], Features], labels: Sequence[str], config: RecognitionConfig | None = None
) -> list[Ranked]:
    """All classes, best first. references: features by number; labels: of each the class."""
    config = config or RecognitionConfig()
    grids = [in_bytes(grid) for grid in query.grids]

    def scored(number: int, every: bool) -> tuple[float, int]:
        chosen = references(number).grids
        if not every:
            chosen = (min(chosen, key=lambda one: abs(max(one.shape[:2]) - QUERY_CELLS)),)
        return best_score(grids, [in_bytes(one) for one in chosen], config.reach)

    found = {number: scored(number, every=False) for number in range(len(labels))}
    likely = sorted(found, key=lambda one: -found[one][0])[: config.likely]
    found |= {number: scored(number, every=True) for number in likely}
    best: dict[str, int] = {}
    # A reference that was not compared at all scales stands behind those that were.
    order = sorted(found, key=lambda one: (one not in set(likely), -found[one][0]))
    for number in order:
        best.setdefault(labels[number], number)
    return [
        Ranked(label, found[number][0], number, ORIENTATIONS[found[number][1]]) for label, number in best.items()
    ]


def in_bytes(grid: NDArray[np.float16]) -> NDArray[np.int8]:
    """(h, w, C) unit vectors -> the same as whole numbers, as `training.art.matching` has them."""
    return whole_numbers(torch.from_numpy(single(grid))).numpy()


def best_score(
    query: Sequence[NDArray[np.int8]], reference: Sequence[NDArray[np.int8]], reach: int
) -> tuple[float, int]:
    """The best score of grids of a query (h, w, C), one for each orientation, with any of a reference's, and the number
    of that orientation."""
    unit = step_of_bytes(query[0].shape[2]) ** 2
    scores = [max(_agreement(here, there, reach) for there in reference) for here in query]
    best = int(np.argmax(scores))
    return unit * scores[best], best


def _agreement(query: NDArray[np.int8], reference: NDArray[np.int8], reach: int) -> float:
    """The score of one grid with another, in products of bytes."""
    channels = query.shape[2]
    # A product for each pair of grids: it stays in a core's cache while maxima are taken.
    products = products_of_bytes(query.reshape(-1, channels), reference.reshape(-1, channels))
    here, there = _middles(query.shape), _middles(reference.shape)
    forth, back = products.argmax(axis=1), products.argmax(axis=0)
    votes = _most(there[forth] - here, products[np.arange(len(here)), forth], reach) / len(here)
    return 0.5 * (votes + _most(there - here[back], products[back, np.arange(len(there))], reach) / len(there))


def _most(shifts: NDArray[np.float32], weights: NDArray[Any], reach: int) -> float:
    """The largest sum of weights that agree about a shift, as far as they do: by a bell of one cell."""
    side = 2 * reach + 1
    bins = np.rint(shifts).astype(np.int64) + reach
    within = (bins >= 0).all(axis=1) & (bins < side).all(axis=1)
    place = bins[within, 0] * side + bins[within, 1]
    votes = np.bincount(place, np.maximum(weights[within], 0), side * side).reshape(side, side)
    return float(cv2.sepFilter2D(votes, cv2.CV_64F, _BELL, _BELL, borderType=cv2.BORDER_CONSTANT).max())


@cache
def _middles(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(h, w, ...) -> (h w, 2): x, y of its cells from the middle of the picture, in cells."""
    rows, columns = shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return np.stack([x - (columns - 1) / 2, y - (rows - 1) / 2], axis=2).reshape(-1, 2)


_BELL = np.exp(-0.5 * np.arange(-2, 3) ** 2)
