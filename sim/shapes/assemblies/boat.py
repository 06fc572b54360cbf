"""Boats and ships: motor boats, sailing boats, cargo ships, rowing boats."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, cushion, disc, loft, rings_across
from sim.shapes.parts import Part

STATIONS = np.array([0.0, 0.08, 0.3, 0.6, 0.8, 0.93, 1.0])


@dataclass(frozen=True)
class Boat(Family):
    """beam, depth: over the length. bow: how full it is. flare: width at the bottom over that at the deck. sheer: how
    much higher the deck is at the bow, over the depth."""

    category: ClassVar[str] = "boat"

    kind: str = one_of("motor", "sail", "cargo", "open")
    length_m: float = within(4.0, 40.0)
    beam: float = within(0.16, 0.34)
    depth: float = within(0.10, 0.20)
    bow: float = within(0.45, 1.0)
    stern: float = within(0.5, 1.0)
    flare: float = within(0.25, 0.9)
    sheer: float = within(0.0, 0.6)
    keel: float = within(0.0, 0.6)
    house: float = within(0.20, 0.45)
    house_at: float = within(0.1, 0.45)
    house_height: float = within(0.6, 1.4)
    decks: float = within(1.0, 3.0)
    mast: float = within(0.8, 1.3)
    boxes: float = within(1.0, 5.0)

    def parts(self) -> tuple[Part, ...]:
        """Hull, and what stands on it."""
        long, wide = self.length_m, self.length_m * self.beam
        deep = self.length_m * self.depth
        back = -long / 2
        parts = [self._hull(long, wide, deep)]
        inside, start = 0.62 * wide, back + self.house_at * long
        step, end = self.house_height * deep, start + self.house * long
        if self.kind == "open":
            half, low, high = 0.03 * long, 0.9 * deep, 1.07 * deep
            for share in (0.25, 0.5, 0.7):
                x = back + share * long
                parts.append(box((x - half, -0.42 * wide, low), (x + half, 0.42 * wide, high)))
            motor = (back - 0.05 * long, -0.06 * wide, 0.5 * deep), (back + 0.03 * long, 0.06 * wide, 1.5 * deep)
            return (*parts, box(*motor))
        if self.kind == "sail":
            low_, high_ = (start, -inside / 2, 0.9 * deep), (end, inside / 2, deep + 0.4 * step)
            return (*parts, cushion(low_, high_, 0.1 * step), *self._rig(long, deep))
        count = round(self.decks)
        for i in range(count):
            low, size = deep * 0.9 + i * 0.95 * step, 1 - 0.22 * i
            first, last = start + 0.02 * long * i, start + self.house * long * size
            parts.append(cushion((first, -size * inside / 2, low), (last, size * inside / 2, low + step), 0.06 * step))
        top = 0.9 * deep + count * 0.95 * step
        if self.kind == "cargo":
            parts += self._cargo(end, back + 0.9 * long, inside, deep)
            funnel = start + 0.3 * self.house * long
            parts.append(disc(2, (top - 0.1 * step, top + 0.9 * step), (0.10 * wide, 0.08 * wide), (funnel, 0.0)))
        else:
            x, half = start + 0.5 * self.house * long, 0.02 * wide
            parts.append(box((x - half, -half, top - 0.1 * step), (x + half, half, top + step)))
        return tuple(parts)

    def _hull(self, long: float, wide: float, deep: float) -> Part:
        widths = [self.stern, 1, 1, 0.55 + 0.35 * self.bow, 0.25 + 0.4 * self.bow, 0.02]
        half = wide / 2 * np.interp(STATIONS, [0, 0.3, 0.6, 0.8, 0.93, 1], widths)
        bottom = half * self.flare * np.interp(STATIONS, [0, 0.6, 1], [1, 1, 0.3])
        top = deep * (1 + self.sheer * np.clip((STATIONS - 0.5) / 0.5, 0, 1) ** 2)
        foot = deep * np.interp(STATIONS, [0, 0.1, 0.8, 1], [0.25, 0.0, 0.0, 0.45])
        bilge = foot + (0.15 + 0.35 * self.keel) * (top - foot)
        sections = np.stack([
            np.stack([np.zeros(7), foot], axis=-1), np.stack([bottom, bilge], axis=-1), np.stack([half, top], axis=-1),
            np.stack([np.zeros(7), top], axis=-1), np.stack([-half, top], axis=-1), np.stack([-bottom, bilge], axis=-1),
        ], axis=1)  # fmt: skip
        overhang = np.where(STATIONS == 1, 0.04 * long, 0.0)
        rings = rings_across(0, -long / 2 + STATIONS * long, sections)
        rings[..., 0] += overhang[:, None] * (rings[..., 2] / rings[..., 2].max())
        return loft(rings)

    def _rig(self, long: float, deep: float) -> list[Part]:
        x, high, thick = 0.08 * long, self.mast * long, 0.008 * long
        boom = deep * 1.35
        mast = disc(2, (0.8 * deep, high), (thick, 0.5 * thick), (x, 0.0), size=12)
        spar = disc(0, (x - 0.42 * long, x), (0.7 * thick, 0.7 * thick), (0.0, boom), size=12)
        flat = 0.004 * long
        sails = []
        main, jib = (x, x - 0.41 * long, boom, 0.96 * high), (0.48 * long, x + 0.03 * long, deep * 1.25, 0.85 * high)
        for front, back, low, top in (main, jib):
            ahead = np.array([(front, low), (back, low), (x + (0.01 * long if front > x else -0.01 * long), top)])
            z_x = ahead[:, ::-1] if _turn(ahead[:, ::-1]) > 0 else ahead[::-1, ::-1]
            sails.append(loft(rings_across(1, (-flat, flat), z_x[None])))
        return [mast, spar, *sails]

    def _cargo(self, first: float, last: float, inside: float, deep: float) -> list[Part]:
        count = min(round(self.boxes), int((last - first) / (0.05 * self.length_m)))
        edges = np.linspace(first, last, count + 1)
        heights = deep * (0.5 + 0.4 * np.cos(np.arange(count) * 2.1 + self.boxes))
        gap, low, half = 0.01 * self.length_m, 0.9 * deep, inside / 2
        return [
            box((a + gap, -half, low), (b - gap, half, deep + height))
            for (a, b), height in zip(pairwise(edges), heights, strict=True)
        ]


def _turn(corners: np.ndarray) -> float:
    """Positive for a triangle (3, 2) that runs counter-clockwise."""
    (ax, ay), (bx, by), (cx, cy) = corners
    return float((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
