"""Bodies of revolution, or of a rounder or squarer outline: open vessels with a wall, and solid ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.shapes.parts import Part, ring_indices, stacked, superellipse
from sim.shapes.profiles import lengths, offset, resampled

SEGMENTS = 48
SECTORS = 16  # of the wall's convex pieces: the inside is flat by 2 % of the radius at most
BASE_ROWS, CORE_ROWS, WALL_ROWS, RIM_ROWS, FLOOR_ROWS = 3, 6, 16, 3, 4
WALL_BANDS = 4


@dataclass(frozen=True, eq=False)
class Vessel:
    """An open vessel: its surface, and the profile (D, 2) in the middle of its wall, where handles begin."""

    part: Part
    middle: np.ndarray


def outline(exponent: float = 2.0, length_ratio: float = 1.0) -> np.ndarray:
    """(SEGMENTS, 2) of a horizontal section whose half width along y is 1: a superellipse, longer along x."""
    return superellipse(SEGMENTS, exponent, 1)[0] * (length_ratio, 1.0)


def vessel(
    profile: np.ndarray, wall_m: float, floor_m: float, ring: np.ndarray,
    core_rows: int = CORE_ROWS, core_bands: int = 1,
) -> Vessel:
    """An open vessel: a profile (D, 2) of its outside from the base up, a wall and a floor at height floor_m.

    ring (SEGMENTS, 2): the section's outline per unit of radius. core_rows, core_bands: rings of the outside below the
    floor, and the convex pieces made of them. Raises ValueError where the wall leaves no room inside.
    """
    inside = offset(profile, wall_m)
    below = np.flatnonzero((inside[:, 1] < floor_m) | (inside[:, 0] < wall_m))
    start = below[-1] + 1 if len(below) else 0
    if start >= len(profile) - WALL_ROWS:
        raise ValueError("the wall or the floor is so thick that the vessel is full: give a thinner one.")
    core = resampled(profile[: start + 1], core_rows + 1)[:-1]
    wall = resampled(profile[start:], WALL_ROWS)
    share = np.linspace(0, 1, WALL_ROWS)
    length = lengths(profile[start:]) / lengths(profile[start:])[-1]
    inner = np.stack([np.interp(share, length, column) for column in inside[start:].T], axis=-1)[::-1]
    inner[-1, 1] = floor_m
    rim = _half_circle(wall[-1], inner[0], RIM_ROWS)
    base = core[0] * np.linspace(0, 1, BASE_ROWS + 1)[1:-1, None]
    inwards = np.linspace(1, 0, FLOOR_ROWS + 1)[1:-1]
    floor = np.stack([inner[-1, 0] * inwards, np.full(len(inwards), floor_m)], axis=-1)
    rows = np.concatenate([base, core, wall, rim, inner, floor])
    part = stacked(
        np.zeros(3), _rings(rows, ring), np.array([0, 0, floor_m]), _vessel_pieces(len(rows), core_rows, core_bands)
    )
    return Vessel(part, (profile + inside) / 2)


def solid(rows: np.ndarray, exponents: np.ndarray, bands: Sequence[tuple[int, int]]) -> Part:
    """A solid: rows (R, 2) of radius and height from the edge of its base to the edge of its top.

    exponents (R,): of the superellipse that the row's section is. bands: pairs of rows between which
    a convex piece lies.
    """
    base = rows[0] * np.linspace(0, 1, BASE_ROWS + 1)[1:-1, None]
    share = np.linspace(1, 0, BASE_ROWS + 1)[1:-1]
    top = np.stack([rows[-1, 0] * share, np.full(len(share), rows[-1, 1])], axis=-1)
    powers = np.concatenate([[exponents[0]] * len(base), exponents, [exponents[-1]] * len(top)])
    rings = _rings(np.concatenate([base, rows, top]), superellipse(SEGMENTS, powers, len(powers)))
    index = ring_indices(len(rings), SEGMENTS)[len(base) :]
    pieces = [index[[low, high], ::2].ravel() for low, high in bands]
    return stacked(np.zeros(3), rings, np.array([0, 0, rows[-1, 1]]), pieces)


def _vessel_pieces(rows: int, core_rows: int, core_bands: int) -> list[np.ndarray]:
    index = ring_indices(rows, SEGMENTS)
    first = BASE_ROWS - 1
    wall, rim = first + core_rows, first + core_rows + WALL_ROWS
    floor = rim + RIM_ROWS + WALL_ROWS - 1
    edges = np.unique(np.linspace(first, wall, core_bands + 1).round().astype(int))
    pieces = []
    for low, high in pairwise(edges):
        rings = [*range(low, high + 1)] if core_bands == 1 else [low, high]
        pieces.append(index[[*rings, floor] if high == wall else rings, ::2].ravel())
    sector = SEGMENTS // SECTORS
    bands = np.linspace(0, WALL_ROWS - 1, WALL_BANDS + 1).round().astype(int)
    for low, high in pairwise(bands):
        outside, inside = [wall + low, wall + high], [floor - low, floor - high]
        rings = [*outside, *inside, *(range(rim, rim + RIM_ROWS) if high == bands[-1] else ())]
        for one in range(SECTORS):
            columns = (one * sector + np.arange(sector + 1)) % SEGMENTS
            pieces.append(index[np.ix_(rings, columns)].ravel())
    return pieces


def _half_circle(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """Points (count, 2) between two, on the half of a circle that bulges upwards, or to the left of the way."""
    middle, half = (start + end) / 2, (start - end) / 2
    across = np.array([half[1], -half[0]])
    across *= np.sign(across[1]) or 1.0
    turns = np.linspace(0, np.pi, count + 2)[1:-1, None]
    return middle + np.cos(turns) * half + np.sin(turns) * across


def _rings(rows: np.ndarray, ring: np.ndarray) -> np.ndarray:
    flat = rows[:, None, :1] * ring
    return np.concatenate([flat, np.broadcast_to(rows[:, None, 1:], (*flat.shape[:2], 1))], axis=-1)
