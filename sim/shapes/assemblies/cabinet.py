"""Cabinets, shelves and chests of drawers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.assemblies.supports import SUNK_M, four_legs
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, disc
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Cabinet(Family):
    """columns, rows: of doors, drawers or compartments, rounded; doors reach over all rows. stand: below a third the
    body stands on the floor, below two thirds on a plinth, else on legs."""

    category: ClassVar[str] = "cabinet"

    front: str = one_of("doors", "drawers", "open")
    width_m: float = within(0.35, 1.60)
    depth_m: float = within(0.28, 0.60)
    height_m: float = within(0.45, 2.00)
    wall_m: float = within(0.015, 0.035)
    columns: float = within(1.0, 3.0)
    rows: float = within(1.0, 5.0)
    stand: float = within(0.0, 1.0)
    stand_m: float = within(0.06, 0.20)
    top_overhang_m: float = within(0.0, 0.04)
    gap_m: float = within(0.006, 0.03)
    panel_m: float = within(0.012, 0.03)
    knobs: str = one_of("knobs", "bars", "none")

    def parts(self) -> tuple[Part, ...]:
        """Body, top, what it stands on, and fronts or shelves."""
        low = 0.0 if self.stand < 1 / 3 else self.stand_m
        x, y, high = self.depth_m / 2, self.width_m / 2, self.height_m
        over, wall = self.top_overhang_m, self.wall_m
        parts = [box((-x, -y - over, high - wall), (x + over, y + over, high))]
        if 1 / 3 <= self.stand < 2 / 3:
            parts.append(box((-0.95 * x, -0.95 * y, 0.0), (0.85 * x, 0.95 * y, low + SUNK_M)))
        elif self.stand >= 2 / 3:
            parts += four_legs(low, 0.85 * x, 0.9 * y, 0.02, 0.7, 0.0, round_=False)
        top = high - wall / 2
        if self.front == "open":
            return (*parts, *self._shelves(low, top))
        parts.append(box((-x, -y, low), (x, y, top)))
        columns, rows = round(self.columns), round(self.rows) if self.front == "drawers" else 1
        ys, zs = np.linspace(-y, y, columns + 1), np.linspace(low, high - wall, rows + 1)
        for column in range(columns):
            for row in range(rows):
                first = np.array([ys[column], zs[row]]) + self.gap_m / 2
                last = np.array([ys[column + 1], zs[row + 1]]) - self.gap_m / 2
                parts.append(box((x - SUNK_M, *first), (x + self.panel_m, *last)))
                parts += self._handle(first, last, x + self.panel_m, left=column % 2 == 0)
        return tuple(parts)

    def _shelves(self, low: float, high: float) -> list[Part]:
        x, y, wall = self.depth_m / 2, self.width_m / 2, self.wall_m
        columns, rows = round(self.columns), round(self.rows) + 1
        parts = [box((-x, -y, low), (-x + wall / 2, y, high))]
        parts += [
            box((-x, middle - wall / 2, low), (x, middle + wall / 2, high))
            for middle in np.linspace(-y + wall / 2, y - wall / 2, columns + 1)
        ]
        levels = np.linspace(low, high, rows + 1)[:-1]
        return parts + [box((-x, -y + wall / 4, z), (x - 0.004, y - wall / 4, z + wall)) for z in levels]

    def _handle(self, first: np.ndarray, last: np.ndarray, x: float, left: bool) -> list[Part]:
        """One front's handle: in the middle of a drawer, at the side of a door."""
        middle, size = (first + last) / 2, last - first
        if self.front == "doors":
            middle[0] = last[0] - 0.1 * size[0] if left else first[0] + 0.1 * size[0]
        if self.knobs == "knobs":
            return [disc(0, (x - SUNK_M, x + 0.012, x + 0.03), (0.006, 0.008, 0.016), middle, size=12)]
        if self.knobs == "bars":
            upright = self.front == "doors"
            half = np.array([0.008, min(0.12, 0.3 * size[1])] if upright else [min(0.1, 0.3 * size[0]), 0.008])
            return [box((x - SUNK_M, *(middle - half)), (x + 0.025, *(middle + half)))]
        return []
