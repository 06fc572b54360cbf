"""What time does to pictures, and the frames that they hang in."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
WOODS = ((92, 60, 34), (60, 40, 28), (178, 142, 70), (40, 36, 34), (202, 178, 120))
"""Colours of frames, RGB."""


def damaged(picture: Picture, amount: float, random: np.random.Generator) -> Picture:
    """Scratches, stains, foxing, a fold and losses; amount 0..1: how many of them."""
    height, width = picture.shape[:2]
    unit = max(height, width) / 800
    worn = picture.astype(np.float32)
    worn *= 1 - _stains(picture.shape[:2], round(4 * amount), unit, random)[..., None] * (0.18, 0.24, 0.42)
    mask = np.zeros(picture.shape[:2], np.uint8)
    for _ in range(round(12 * amount)):
        _scratch(mask, unit, random)
    worn += 0.7 * _soft(mask, 0.5 * unit) * (235 - worn)
    if random.random() < amount:
        worn += _fold(picture.shape[:2], unit, random)[..., None] * 60
    mask[:] = 0
    for _ in range(round(5 * amount)):
        _loss(mask, unit, random)
    bare = np.array([(196, 180, 150), (222, 214, 198), (120, 100, 82)][random.integers(3)], np.float32)
    worn += _soft(mask, 0.8 * unit) * (bare - worn)
    return np.clip(np.rint(worn), 0, 255).astype(np.uint8)


def framed(picture: Picture, share: float, random: np.random.Generator) -> tuple[Picture, int]:
    """The picture in a moulded frame as wide as a share of its shorter side, and that width in px."""
    height, width = picture.shape[:2]
    border = max(4, round(share * min(height, width)))
    wood = np.array(WOODS[random.integers(len(WOODS))], np.float32)
    rows, columns = np.mgrid[: height + 2 * border, : width + 2 * border]
    sides = np.stack([rows, columns, height + 2 * border - 1 - rows, width + 2 * border - 1 - columns])
    inward, which = sides.min(axis=0) / border, sides.argmin(axis=0)
    ridges = np.sin(2 * np.pi * inward * random.uniform(1.2, 3.2) + random.uniform(0, 6))
    # The light comes from above and from the left, so that mitres show.
    light = np.array([1.18, 1.05, 0.72, 0.86])[which] * (1 + 0.28 * ridges)
    veins = cv2.GaussianBlur(random.standard_normal(rows.shape, np.float32), (0, 0), max(1.0, border / 30))
    frame = wood * (light * (1 + 0.4 * veins / max(float(np.abs(veins).max()), 1e-6)))[..., None]
    frame[border:-border, border:-border] = picture
    shadow = np.clip(1 - np.minimum(*np.mgrid[:height, :width]) / (0.25 * border), 0, 1)[..., None]
    frame[border:-border, border:-border] *= 1 - 0.5 * shadow
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8), border


def _soft(mask: Picture, deviation: float) -> NDArray[np.float64]:
    return (cv2.GaussianBlur(mask, (0, 0), max(0.4, deviation)).astype(np.float64) / 255)[..., None]


def _stains(shape: tuple[int, ...], count: int, unit: float, random: np.random.Generator) -> NDArray[np.float32]:
    """0..1: blots darker at their edges, as water leaves them, and brown spots of foxing."""
    stains = np.zeros(shape, np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for _ in range(count):
        x, y = random.random(2) * (shape[1], shape[0])
        angle = np.arctan2(rows - y, columns - x)
        phases = random.uniform(0, 2 * np.pi, 4)
        wobble = sum(0.09 * np.cos((k + 2) * angle + phase) for k, phase in enumerate(phases))
        distance = np.hypot(rows - y, columns - x) / (random.uniform(25, 75) * unit) + wobble
        stains += 0.4 * (distance < 1) + 0.6 * np.exp(-(((distance - 1) / 0.05) ** 2))
    spots = np.zeros(shape, np.uint8)
    for _ in range(12 * count):
        x, y = (int(one) for one in random.random(2) * (shape[1], shape[0]))
        cv2.circle(spots, (x, y), max(1, round(random.uniform(0.8, 3) * unit)), 255, -1)
    return np.clip(stains + 0.8 * _soft(spots, unit)[..., 0], 0, 1)


def _scratch(mask: Picture, unit: float, random: np.random.Generator) -> None:
    height, width = mask.shape
    start = random.random(2) * (width, height)
    turn = random.uniform(0, 2 * np.pi)
    steps = np.cumsum(random.normal(0, 0.12, 12)) + turn
    length = random.uniform(4, 16) * unit
    path = start + np.cumsum(np.stack([np.cos(steps), np.sin(steps)], axis=1) * length, axis=0)
    cv2.polylines(mask, [np.rint(path).astype(np.int32)], False, 255, max(1, round(unit)), cv2.LINE_AA)


def _fold(shape: tuple[int, ...], unit: float, random: np.random.Generator) -> NDArray[np.float32]:
    """-1..1: a crease across the whole, light on one side and dark on the other."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    turn = random.uniform(-0.1, 0.1) + np.pi / 2 * random.integers(2)
    middle = random.uniform(0.3, 0.7, 2) * (shape[1], shape[0])
    across = (columns - middle[0]) * np.cos(turn) + (rows - middle[1]) * np.sin(turn)
    near = across / (2.2 * unit)
    return (-near * np.exp(0.5 - near**2 / 2)).astype(np.float32)


def _loss(mask: Picture, unit: float, random: np.random.Generator) -> None:
    """A flake of paint gone, or a corner torn off."""
    height, width = mask.shape
    middle = random.random(2) * (width, height)
    angle = np.sort(random.uniform(0, 2 * np.pi, 11))
    radius = random.uniform(5, 22) * unit * random.uniform(0.55, 1.1, 11)
    points = middle + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255)
