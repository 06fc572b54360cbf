"""A detail of one picture copied into another by an affine map, with the exact box that it then covers."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.art.boxes import Box

Picture = NDArray[np.uint8]
OUTLINE = 256
"""Points along the edge of a detail, for the box of what it becomes."""
SQUARENESS = 5.0
"""Exponent of the superellipse that a detail is cut out by: 2 is an ellipse, infinity a rectangle."""
FEATHER = 0.08
"""Of half a detail's width, the edge along which it passes into the other picture."""
TRIALS = 24
"""Boxes of which the liveliest becomes the detail."""


@dataclass(frozen=True)
class CopyRanges:
    """What a copyist changes; sizes of details are shares of the picture's shorter side."""

    side: tuple[float, float] = (0.32, 0.62)
    aspect: tuple[float, float] = (0.65, 1.5)
    """Width over height."""
    scale: tuple[float, float] = (0.7, 1.4)
    turn_deg: tuple[float, float] = (-12.0, 12.0)
    stretch: tuple[float, float] = (0.88, 1.13)
    """Width over height once more, of the copy."""
    shear: tuple[float, float] = (-0.08, 0.08)
    colours: tuple[float, float] = (0.3, 0.8)
    """How far the copy takes the colours of the picture that it comes into."""


def detail_of(picture: Picture, ranges: CopyRanges, random: np.random.Generator) -> Box:
    """A lively part of a picture, px: of some at random, the one in which tones change most and everywhere."""
    height, width = picture.shape[:2]
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.5).astype(np.float32)
    change = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    best: tuple[float, Box] | None = None
    for _ in range(TRIALS):
        aspect = np.sqrt(random.uniform(*ranges.aspect))
        side = min(width, height) * random.uniform(*ranges.side)
        w, h = (int(min(one, 0.9 * most)) for one, most in ((side * aspect, width), (side / aspect, height)))
        x, y = int(random.uniform(0.02, 0.98) * (width - w)), int(random.uniform(0.02, 0.98) * (height - h))
        parts = cv2.resize(change[y : y + h, x : x + w], (4, 4), interpolation=cv2.INTER_AREA)
        # The quietest quarter counts, so that no detail is a figure's edge and else a wall.
        lively = float(np.sort(np.log1p(parts).ravel())[:8].mean())
        if best is None or lively > best[0]:
            best = lively, (float(x), float(y), float(w), float(h))
    assert best is not None
    return best[1]


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture with a copy in it."""

    picture: Picture
    affine: NDArray[np.float64]
    """(2, 3) from px of the picture copied from to px of this one."""
    box: Box


def planted(
    source: Picture, detail: Box, host: Picture, ranges: CopyRanges, random: np.random.Generator,
    taken: tuple[Box, ...] = (),
) -> Placed | None:
    """Copy the detail to some place of the host where none of the boxes taken is, or None where it found none."""
    for _ in range(30):
        affine, outline = _map(detail, source, host, ranges, random)
        box = _around(outline)
        inside = box[0] >= 0 and box[1] >= 0 and box[0] + box[2] <= host.shape[1] and box[1] + box[3] <= host.shape[0]
        if inside and not any(_touch(box, other) for other in taken):
            return Placed(_pasted(source, detail, host, affine, random.uniform(*ranges.colours)), affine, box)
    return None


def _map(
    detail: Box, source: Picture, host: Picture, ranges: CopyRanges, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The affine map to px of the host, and the outline (OUTLINE, 2) of the copy there."""
    turn = np.deg2rad(random.uniform(*ranges.turn_deg))
    stretch = np.sqrt(random.uniform(*ranges.stretch))
    scale = random.uniform(*ranges.scale) * min(host.shape[:2]) / min(source.shape[:2])
    # A copy that is larger than the picture it comes into is made as large as fits.
    scale = min(scale, 0.75 * host.shape[1] / detail[2], 0.75 * host.shape[0] / detail[3])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    sheared = np.array([[1.0, random.uniform(*ranges.shear)], [0.0, 1.0]])
    linear = scale * rotation @ sheared @ np.diag([stretch, 1 / stretch])
    outline = _outline(detail) @ linear.T
    low, high = outline.min(axis=0), outline.max(axis=0)
    room = np.array(host.shape[1::-1]) - (high - low)
    shift = random.random(2) * np.maximum(room, 0) - low
    return np.column_stack([linear, shift]), outline + shift


def _outline(detail: Box) -> NDArray[np.float64]:
    """(OUTLINE, 2) px: the superellipse in the box."""
    angle = np.linspace(0, 2 * np.pi, OUTLINE, endpoint=False)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    unit = np.sign(direction) * np.abs(direction) ** (2 / SQUARENESS)
    return np.array(detail[:2]) + (unit + 1) / 2 * np.array(detail[2:])


def _around(outline: NDArray[np.float64]) -> Box:
    x, y = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    return float(x), float(y), float(right - x), float(bottom - y)


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _pasted(
    source: Picture, detail: Box, host: Picture, affine: NDArray[np.float64], colours: float
) -> Picture:
    height, width = host.shape[:2]
    size = (width, height)
    copy = cv2.warpAffine(source, affine, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    inverse = cv2.invertAffineTransform(affine)
    rows, columns = np.mgrid[:height, :width]
    across = np.stack([columns, rows], axis=2) @ inverse[:, :2].T + inverse[:, 2]
    unit = np.abs((across - detail[:2]) / detail[2:] * 2 - 1)
    radius = (unit**SQUARENESS).sum(axis=2) ** (1 / SQUARENESS)
    alpha = np.clip((1 - radius) / FEATHER, 0, 1)
    alpha = (alpha * alpha * (3 - 2 * alpha))[..., None].astype(np.float32)
    copied, around = (cv2.cvtColor(one, cv2.COLOR_RGB2LAB).astype(np.float32) for one in (copy, host))
    inside = alpha[..., 0] > 0.5
    here, there = copied[inside], around[inside]
    # The mean and spread of the colours that were there before (Reinhard, "Color transfer between images", 2001).
    spread = np.clip((there.std(axis=0) + 1) / (here.std(axis=0) + 1), 0.7, 1.4)
    toned = (copied - here.mean(axis=0)) * spread + there.mean(axis=0)
    blended = around + alpha * (copied + colours * (toned - copied) - around)
    made = cv2.cvtColor(np.clip(np.rint(blended), 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    # There and back between colour spaces not every px would stay as it was.
    return np.where(alpha > 0, made, host)
