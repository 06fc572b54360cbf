"""Photographs of marks in paper, made of their lines: held against the light, in low contrast, written on, in any
orientation. What recognition is tried on where there are no published photographs."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from training.art.recognition.orientations import ORIENTATIONS, oriented
from training.art.recognition.symbols import Line, Symbol, strokes

SIDE_PX = 352


@dataclass(frozen=True)
class Wear:
    """How far a photograph is from the drawing, of each the largest."""

    turn_deg: float = 8.0
    """Beyond the quarter turns."""
    shift: float = 0.08
    """Share of the picture's side."""
    scale: tuple[float, float] = (0.7, 1.05)
    bend: float = 0.015
    """By which lines are bent, since two moulds are never quite alike; share of the side."""
    contrast: tuple[float, float] = (0.05, 0.16)
    """By which lines are lighter than the paper."""
    shading: float = 0.3
    lines_of_ink: int = 6


def photograph(mark: Symbol, seed: int, number: int, wear: Wear | None = None) -> tuple[NDArray[np.uint8], int]:
    """((S, S, 3) uint8, which of `ORIENTATIONS` it is in)."""
    wear = wear or Wear()
    random = np.random.default_rng((seed, number, 1))
    placed = _placed(random, wear)
    ink = strokes(_bent(mark.lines, random, wear.bend), placed, SIDE_PX, random.uniform(2.5, 4.5))
    lines = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), random.uniform(0.8, 1.8))
    # Wire that is bent or worn leaves no even line.
    lines = lines * np.clip(1.0 + 0.6 * _noise(random, 40), 0.15, 1.4)
    lit = random.uniform(0.5, 0.7) + _paper(random) + random.uniform(*wear.contrast) * lines
    lit = lit * (1 - _shade(random, wear.shading)) * (1 - _writing(random, wear.lines_of_ink))
    tone = np.array([1.0, random.uniform(0.86, 0.97), random.uniform(0.62, 0.85)])
    seen = lit[..., None] * tone + random.normal(scale=0.012, size=(SIDE_PX, SIDE_PX, 3))
    which = int(random.integers(len(ORIENTATIONS)))
    return np.ascontiguousarray(oriented(np.clip(255 * seen, 0, 255).astype(np.uint8), ORIENTATIONS[which])), which


def _placed(random: np.random.Generator, wear: Wear) -> NDArray[np.float64]:
    """(2, 3): from the mark to [0, 1]^2 of the photograph."""
    turn, scale = np.deg2rad(random.uniform(-wear.turn_deg, wear.turn_deg)), 0.5 * random.uniform(*wear.scale)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.diag([1.0, random.uniform(0.94, 1.06)])
    return np.column_stack([linear, 0.5 + random.uniform(-wear.shift, wear.shift, 2)])


def _bent(lines: tuple[Line, ...], random: np.random.Generator, bend: float) -> tuple[Line, ...]:
    waves = random.uniform(1.0, 3.0, (4, 2)), random.uniform(0, 7, 4)
    moved = []
    for line in lines:
        dense = np.concatenate([np.linspace(a, b, 8, endpoint=False) for a, b in pairwise(line)])
        dense = np.concatenate([dense, line[-1:]])
        sway = np.sin(dense @ waves[0].T + waves[1])
        moved.append(dense + 2 * bend * (sway[:, :2] + sway[:, 2:]))
    return tuple(moved)


def _noise(random: np.random.Generator, knot_px: float) -> NDArray[np.float32]:
    """(S, S) smooth, of deviation 1."""
    count = max(2, round(SIDE_PX / knot_px))
    small = random.normal(size=(count, count)).astype(np.float32)
    return np.asarray(cv2.resize(small, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC), np.float32)


def _paper(random: np.random.Generator) -> NDArray[np.float32]:
    """Clouds of fibres, and the wires of the mould: many close ones, and few across."""
    clouds = sum(size * _noise(random, knot) for knot, size in ((60, 0.015), (18, 0.015), (5, 0.012)))
    across = np.arange(SIDE_PX) + random.uniform(0, 30)
    close = np.sin(2 * np.pi * across / random.uniform(5, 8))
    apart = np.exp(-(((across % (gap := random.uniform(55, 90))) - gap / 2) ** 2) / 4)
    upright = random.random() < 0.5
    wires = 0.012 * (close[:, None] if upright else close[None]) + 0.04 * (apart[None] if upright else apart[:, None])
    return np.asarray(clouds + wires, np.float32)


def _shade(random: np.random.Generator, most: float) -> NDArray[np.float32]:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX] / SIDE_PX - 0.5
    angle = random.uniform(0, 2 * np.pi)
    slope = 0.5 + x * np.cos(angle) + y * np.sin(angle)
    return np.asarray(random.uniform(0, most) * np.clip(slope, 0, 1) + 0.5 * most * (x**2 + y**2), np.float32)


def _writing(random: np.random.Generator, most: int) -> NDArray[np.float32]:
    """(S, S), how dark ink is: lines of a hand that nobody can read."""
    page = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    count = int(random.integers(0, most + 1))
    for base in random.uniform(0.05, 0.95, count) * SIDE_PX:
        begin, end = random.uniform(0, 0.3) * SIDE_PX, random.uniform(0.6, 1.0) * SIDE_PX
        x = np.arange(begin, end, 2.5)
        phase = np.cumsum(random.uniform(0.5, 1.3, len(x)))
        y = base + 6 * np.sin(phase) * random.uniform(0.4, 1.3, len(x))
        x = x + 4 * np.cos(phase)
        pen = np.repeat(random.random(len(x) // 6 + 1) > 0.18, 6)[: len(x)]
        points = np.rint(np.stack([x, y], axis=1) * 16).astype(np.int32)
        for a, b, down in zip(points, points[1:], pen, strict=False):
            if down:
                cv2.line(page, a.tolist(), b.tolist(), 255, 1, cv2.LINE_AA, 4)
    ink = cv2.GaussianBlur(page, (0, 0), 0.7).astype(np.float32) / 255
    return np.asarray(random.uniform(0.35, 0.7) * ink, np.float32)
