"""Groups of correspondences that agree about a translation and a scale: Hough votes, smoothed over both.

Positions are in cells of the source grid along either picture's longest side, so that a detail of the same share of
both pictures has scale 1. Each match votes in the slice of its own scale and, weaker, in those beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SCALE_DEVIATION = 0.2
"""Of the logarithm of a scale: how far a match votes beside its own."""
FEWEST_VOTES = 0.05
"""Votes that weigh less than this are left out."""
SHIFT_DEVIATION = 1.5
"""Cells by which votes are smoothed."""
APART = 4.0
"""Cells within which two groups of like scale, seen from the middle of the source, are one."""
SCALE_APART = 0.3
"""The logarithm of the scales of groups within which they are alike."""
TOLERANCE = 4.0
"""Cells that a member may be away from where its group puts it: affine maps are still to come."""
SCALE_TOLERANCE = 0.5
"""By how much the logarithm of a member's scale may be away from its group's."""
LEAST_MEMBERS = 4
"""Fewer cannot tell a good affine map from any."""


@dataclass(frozen=True, eq=False)
class Group:
    """target = scale * source + shift, and who agrees with it."""

    scale: float
    shift: NDArray[np.float64]
    """(2,) cells."""
    members: NDArray[np.int64]
    """Which matches, M of them."""


def groups(
    source: NDArray[np.float64], target: NDArray[np.float64], slot: NDArray[np.int64], scales: Sequence[float],
    most: int,
) -> list[Group]:
    """The groups with most votes, at most so many, best first.

    source, target: (M, 2) cells, not negative. slot: (M,) which of `scales` each match is from.
    """
    if not len(source):
        return []
    logs = np.log(scales)
    centre = source.max(axis=0) / 2
    candidates = [
        (votes, scale, shift)
        for index, scale in enumerate(scales)
        for votes, shift in _peaks(source, target / scale, _weights(logs, index)[slot], most)
    ]
    chosen: list[Group] = []
    places: list[tuple[float, np.ndarray]] = []
    for _, scale, shift in sorted(candidates, key=lambda one: -one[0]):
        place = centre + shift
        if any(
            abs(np.log(scale / other)) < SCALE_APART and np.abs(place * scale / other - there).max() < APART
            for other, there in places
        ):
            continue
        away = np.linalg.norm(target / scale - source - shift, axis=1)
        alike = np.abs(logs[slot] - np.log(scale)) <= SCALE_TOLERANCE
        members = np.flatnonzero((away <= TOLERANCE) & alike)
        if len(members) < LEAST_MEMBERS:
            continue
        places.append((scale, place))
        chosen.append(Group(scale, shift * scale, members))
        if len(chosen) == most:
            break
    return chosen


def _weights(logs: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """Of a vote from each scale in the slice of one; slices that have many scales beside them count no more."""
    weights = np.exp(-((logs - logs[index]) ** 2) / (2 * SCALE_DEVIATION**2))
    weights[weights < FEWEST_VOTES] = 0
    return weights / weights.sum()


def _peaks(
    source: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64], most: int
) -> list[tuple[float, NDArray[np.float64]]]:
    """The highest maxima of the smoothed votes for target - source: how many votes, and which shift (2,)."""
    voting = weight > 0
    if not voting.any():
        return []
    shift = target[voting] - source[voting]
    first = np.floor(shift.min(axis=0))
    bins = (shift - first).astype(np.int64)
    width, height = bins.max(axis=0) + 1
    votes = np.bincount(bins[:, 1] * width + bins[:, 0], weight[voting], int(width * height)).reshape(height, width)
    smooth = cv2.GaussianBlur(votes.astype(np.float32), (0, 0), SHIFT_DEVIATION, borderType=cv2.BORDER_CONSTANT)
    top = np.flatnonzero((smooth == cv2.dilate(smooth, np.ones((5, 5), np.uint8))) & (smooth > 0))
    best = top[np.argsort(-smooth.flat[top], kind="stable")[:most]]
    return [(float(smooth.flat[one]), first + np.array([one % width, one // width]) + 0.5) for one in best]
