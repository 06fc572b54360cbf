"""Tables and desks."""

from dataclasses import dataclass
from typing import ClassVar

from sim.shapes.assemblies.supports import SUNK_M, four_legs, pedestal, two_runners
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, loft, rings_across, rounded
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Table(Family):
    """corner: how round the top is. frame, shelf, drawers: below a half there is none. A desk has a chest of drawers
    under one side or both."""

    category: ClassVar[str] = "table"

    support: str = one_of("legs", "pedestal", "runners", "panels")
    height_m: float = within(0.35, 1.05)
    depth_m: float = within(0.45, 1.00)
    length: float = within(1.0, 2.4)
    top_m: float = within(0.015, 0.06)
    corner: float = within(0.0, 1.0)
    leg_m: float = within(0.015, 0.05)
    leg_taper: float = within(0.4, 1.0)
    leg_splay: float = within(0.0, 0.15)
    leg_round: float = within(0.0, 1.0)
    inset: float = within(0.0, 0.35)
    spokes: float = within(0.0, 6.0)
    foot: float = within(0.45, 0.85)
    frame: float = within(0.0, 1.0)
    frame_m: float = within(0.04, 0.12)
    shelf: float = within(0.0, 1.0)
    shelf_height: float = within(0.15, 0.5)
    drawers: float = within(0.0, 1.0)

    def parts(self) -> tuple[Part, ...]:
        """Top, what it stands on, and what lies between."""
        width = self.depth_m * self.length
        under, half_x, half_y = self.height_m - self.top_m, self.depth_m / 2, width / 2
        parts = [loft(rings_across(2, (under, self.height_m), rounded(self.depth_m, width, self.corner)[None]))]
        shrink = (1 - 0.5 * self.inset) * (1 - 0.28 * self.corner)
        x, y = shrink * half_x - self.leg_m, shrink * half_y - self.leg_m
        if self.support == "legs":
            round_ = self.leg_round > 0.5
            parts += four_legs(under, x, y, self.leg_m, self.leg_taper, self.leg_splay, round_)
        elif self.support == "pedestal":
            spokes = 0 if self.spokes < 3 else int(self.spokes)
            parts += pedestal(under, 1.5 * self.leg_m + 0.01, self.foot * half_x, spokes)
        elif self.support == "runners":
            parts += two_runners(under, x, y, self.leg_m)
        else:
            for side in (-1, 1):
                middle = side * y
                parts.append(box((-x, middle - self.leg_m / 2, 0.0), (x, middle + self.leg_m / 2, under + SUNK_M)))
        if self.support == "pedestal":
            return tuple(parts)
        if self.frame > 0.5:
            parts.append(box((-x, -y, under - self.frame_m), (x, y, under + SUNK_M)))
        if self.shelf > 0.5:
            z = self.shelf_height * under
            parts.append(box((-x, -y, z - 0.01), (x, y, z + 0.01)))
        elif self.drawers > 0.6 and self.height_m > 0.6:
            chest = 0.35 * y
            for side in (-1, 1) if self.drawers > 0.8 else (1,):
                low, high = sorted((side * (y - chest), side * (y - 0.2 * self.leg_m)))
                parts.append(box((-0.9 * x, low, 0.15 * under), (0.9 * x, high, under + SUNK_M)))
        return tuple(parts)
