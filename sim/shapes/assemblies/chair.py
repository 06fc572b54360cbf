"""Chairs, armchairs and stools."""

from dataclasses import dataclass
from typing import ClassVar

from sim.shapes.assemblies.supports import SUNK_M, four_legs, pedestal, two_runners
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, loft, rings_across, rounded, turned
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Chair(Family):
    """seat_corner: how round the seat's corners are. bars: how many of them a back of bars has, rounded. arms: below a
    half there are none. Sizes of legs and backs are shares of what they can be."""

    category: ClassVar[str] = "chair"

    support: str = one_of("legs", "pedestal", "runners")
    back: str = one_of("panel", "upright bars", "level bars", "none")
    seat_height_m: float = within(0.38, 0.50)
    width_m: float = within(0.38, 0.58)
    depth_m: float = within(0.38, 0.55)
    seat_thickness_m: float = within(0.02, 0.09)
    seat_corner: float = within(0.0, 1.0)
    back_height_m: float = within(0.30, 0.60)
    back_thickness_m: float = within(0.015, 0.06)
    back_width: float = within(0.6, 1.0)
    back_gap: float = within(0.0, 0.35)
    back_lean_rad: float = within(0.0, 0.30)
    back_top: float = within(0.6, 1.05)
    bars: float = within(2.0, 7.0)
    leg_m: float = within(0.010, 0.028)
    leg_taper: float = within(0.4, 1.0)
    leg_splay: float = within(0.0, 0.18)
    leg_round: float = within(0.0, 1.0)
    spokes: float = within(0.0, 6.0)
    foot: float = within(0.6, 1.0)
    arms: float = within(0.0, 1.0)
    arm_height_m: float = within(0.18, 0.28)

    def parts(self) -> tuple[Part, ...]:
        """Seat, what it stands on, back and arms."""
        under, half_x, half_y = self.seat_height_m - self.seat_thickness_m, self.depth_m / 2, self.width_m / 2
        # Round seats have no corners for legs to stand under.
        inset = self.leg_m + 0.15 * self.seat_corner * min(half_x, half_y)
        outline = rounded(self.depth_m, self.width_m, self.seat_corner)
        parts = [loft(rings_across(2, (under, self.seat_height_m), outline[None]))]
        if self.support == "legs":
            parts += four_legs(
                under, half_x - inset, half_y - inset, self.leg_m, self.leg_taper, self.leg_splay, self.leg_round > 0.5
            )
        elif self.support == "pedestal":
            spokes = 0 if self.spokes < 3 else int(self.spokes)
            parts += pedestal(under, self.leg_m + 0.01, self.foot * half_y, spokes)
        else:
            parts += two_runners(under, half_x - inset, half_y - inset, 0.6 * self.leg_m + 0.004)
        if self.back != "none":
            parts += self._back()
        if self.arms > 0.5:
            parts += self._arms()
        return tuple(parts)

    def _back(self) -> list[Part]:
        low, high = self.seat_height_m, self.seat_height_m + self.back_height_m
        thick, half = self.back_thickness_m, self.back_width * self.width_m / 2
        x = -self.depth_m / 2 + thick
        start = low + self.back_gap * self.back_height_m
        parts = []
        if self.back == "panel":
            sections = rounded(2 * half, high - start, 0.4)[None] * [[[1.0, 1.0]], [[1.0, 1.0]]]
            panel = rings_across(0, (x - thick / 2, x + thick / 2), sections, (0.0, (start + high) / 2))
            panel[..., 1] *= 1 + (self.back_top - 1) * (panel[..., 2:3].squeeze(-1) - start) / (high - start)
            parts.append(loft(panel))
        bar = min(0.4 * thick + 0.005, 0.02)
        if self.back != "panel" or self.back_gap > 0:
            inside = half - bar if self.back != "panel" else 0.6 * half
            parts += [
                box((x - bar, y - bar, low - SUNK_M), (x + bar, y + bar, high - (0 if self.back != "panel" else bar)))
                for y in (-inside, inside)
            ]
        count = round(self.bars)
        if self.back == "upright bars":
            parts.append(box((x - bar, -half, high - 3 * bar), (x + bar, half, high)))
            for i in range(count):
                y = (half - bar) * (2 * (i + 1) / (count + 1) - 1)
                parts.append(box((x - bar / 2, y - bar / 2, low - SUNK_M), (x + bar / 2, y + bar / 2, high - bar)))
        elif self.back == "level bars":
            for i in range(count):
                z = start + bar + (high - bar - start - bar) * i / max(count - 1, 1)
                parts.append(box((x - bar / 2, -half + bar / 2, z - bar), (x + bar / 2, half - bar / 2, z + bar)))
        return [turned(part, -self.back_lean_rad, axis=1, about=(x, 0.0, low)) for part in parts]

    def _arms(self) -> list[Part]:
        low, high = self.seat_height_m, self.seat_height_m + self.arm_height_m
        front, back = 0.32 * self.depth_m, -self.depth_m / 2 + self.back_thickness_m / 2
        y, half = self.width_m / 2, 0.5 * self.leg_m + 0.008
        parts = []
        for side in (-1, 1):
            middle = side * (y - half)
            wide = 1.4 * half
            parts.append(box((back, middle - wide, high - half), (front + half, middle + wide, high + half)))
            posts = (front, back + half) if self.back == "none" else (front,)
            parts += [box((p - half, middle - half, low - SUNK_M), (p + half, middle + half, high)) for p in posts]
        return parts
