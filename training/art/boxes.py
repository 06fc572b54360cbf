"""Boxes (x, y, w, h) in px of an upright picture: how much they overlap, and which of many are kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception.errors import InputError

Box = tuple[float, float, float, float]
"""(x, y, w, h) px, from the left upper corner of the picture."""
Size = tuple[int, int]
"""(width, height) px."""


def overlap(a: Box, b: Box) -> float:
    """The area of both over that of either (intersection over union); 0 for boxes that only touch."""
    return float(overlaps(np.asarray(a, np.float64), np.asarray([b], np.float64))[0])


def overlaps(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4,), (N, 4) -> (N,) intersection over union of one box with each of the others."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=1)
    either = box[2:].prod() + others[:, 2:].prod(axis=1) - both
    return np.divide(both, either, out=np.zeros(len(others)), where=either > 0)


def suppressed(
    boxes: NDArray[np.float64], scores: Sequence[float] | NDArray[np.floating], most: float, count: int | None = None
) -> list[int]:
    """Non-maximum suppression: which of the boxes (N, 4) are left, best first, when each takes away those of lower
    score that it overlaps by more than `most`; count: of these the first so many."""
    left = np.argsort(-np.asarray(scores), kind="stable")
    kept: list[int] = []
    while len(left) and (count is None or len(kept) < count):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        left = left[overlaps(boxes[first], boxes[left]) <= most]
    return kept


def checked_box(box: Sequence[float], size: Size) -> Box:
    """The part of the box that is inside a picture of this size.

    Raises InputError where the box is no box, or has nothing inside.
    """
    if len(box) != 4 or not np.isfinite(np.asarray(box, np.float64)).all():
        raise InputError(f"A box is x,y,w,h in px, four finite numbers: {list(box)} is not.", "box")
    x, y, width, height = (float(one) for one in box)
    if width <= 0 or height <= 0:
        raise InputError(f"The box {_said(box)} is empty: its width and height have to be larger than 0 px.", "box")
    right, bottom = min(x + width, size[0]), min(y + height, size[1])
    left, top = max(x, 0.0), max(y, 0.0)
    if right <= left or bottom <= top:
        raise InputError(
            f"The box {_said(box)} is outside the picture, which is {size[0]} x {size[1]} px: give one inside.", "box"
        )
    return left, top, right - left, bottom - top


def _said(box: Sequence[float]) -> str:
    return ",".join(f"{one:g}" for one in box)
