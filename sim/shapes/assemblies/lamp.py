"""Lamps that stand on a table or the floor, or hang."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, one_of, several, within
from sim.shapes.lofts import circle, disc, loft, rings_across, rounded
from sim.shapes.parts import Part
from sim.shapes.profiles import through

ROWS = 9


@dataclass(frozen=True)
class Lamp(Family):
    """height_m is scaled by the kind. stem: radii of a table lamp's stem at heights evenly apart. A desk lamp has two
    arms, the first leaning back by arm_rad, and a shade that looks down to the front. A hanging lamp's foot is what is
    at the ceiling; it hangs down to z = 0."""

    category: ClassVar[str] = "lamp"

    kind: str = one_of("table", "floor", "hanging", "desk")
    shade: str = one_of("cone", "drum", "dome", "globe")
    height_m: float = within(0.35, 0.65)
    foot_m: float = within(0.07, 0.14)
    foot_square: float = within(0.0, 1.0)
    shade_m: float = within(0.09, 0.20)
    shade_height: float = within(0.25, 0.45)
    shade_top: float = within(0.3, 0.8)
    stem_m: float = within(0.006, 0.016)
    stem: tuple[float, ...] = several(5, 0.012, 0.070)
    arm_rad: float = within(0.2, 0.7)

    def parts(self) -> tuple[Part, ...]:
        """Foot, stem, shade."""
        height = self.height_m * {"table": 1.0, "floor": 2.8, "hanging": 1.6, "desk": 0.9}[self.kind]
        wide = self.shade_m * (1.3 if self.kind == "floor" else 1.0)
        tall = wide * 2 * (0.4 + self.shade_height)
        if self.kind == "desk":
            return self._desk(height)
        if self.kind == "hanging":
            cord = disc(2, (tall - 0.01, height - 0.01), (self.stem_m / 2, self.stem_m / 2), size=12)
            rose = disc(2, (height - 0.03, height), (0.4 * self.foot_m, 0.6 * self.foot_m))
            return self._shade(0.0, wide, tall), cord, rose
        bottom = max(height - tall, 0.3 * height)
        thick = 0.02 + 0.1 * self.foot_m
        foot = self.foot_m * (1.2 if self.kind == "floor" else 1.0)
        outline = rounded(2 * foot, 2 * foot, 0.2 if self.foot_square > 0.7 else 1.0)
        parts = [loft(rings_across(2, (0.0, 0.7 * thick, thick), outline * np.array([1.0, 1.0, 0.85])[:, None, None]))]
        if self.kind == "table":
            share = np.linspace(0, 1, ROWS)
            radii = np.clip(through(self.stem, share), 0.006, 0.5 * wide)
            parts.append(disc(2, thick / 2 + share * (bottom + 0.02 - thick / 2), radii))
        else:
            parts.append(disc(2, (thick / 2, bottom + 0.02), (self.stem_m, self.stem_m), size=12))
        return (*parts, self._shade(bottom, wide, height - bottom))

    def _shade(self, low: float, radius: float, tall: float) -> Part:
        share = np.linspace(0, 1, ROWS)
        if self.shade == "globe":
            angle = np.linspace(0.12, np.pi - 0.12, ROWS)
            return disc(2, low + tall * (1 - np.cos(angle)) / 2, radius * np.sin(angle))
        if self.shade == "dome":
            return disc(2, low + tall * share, radius * np.sqrt(np.clip(1 - 0.98 * share**2, 0, 1)))
        top = self.shade_top if self.shade == "cone" else 0.95
        return disc(2, (low, low + tall), (radius, top * radius))

    def _desk(self, height: float) -> tuple[Part, ...]:
        foot = disc(2, (0.0, 0.025), (self.foot_m, 0.9 * self.foot_m))
        elbow = np.array([-0.6 * height * np.tan(self.arm_rad), 0.0, 0.6 * height])
        head = elbow + np.array([0.5 * height, 0.0, 0.25 * height])
        section = circle(12) * self.stem_m
        lower = _bar(np.array([0.0, 0.0, 0.01]), elbow, section)
        upper = _bar(elbow - (head - elbow) * 0.05, head, section)
        way = np.array([0.45, 0.0, -0.9])
        radius = 0.55 * self.shade_m
        shade = _bar(head - 0.3 * radius * way, head + 1.5 * radius * way, circle(), np.array([0.35 * radius, radius]))
        return foot, lower, upper, shade


def _bar(start: np.ndarray, end: np.ndarray, section: np.ndarray, sizes: np.ndarray | float = 1.0) -> Part:
    """A bar in the plane y = 0, with sections (S, 2) across it scaled by sizes (2,) at its ends."""
    way = (end - start) / np.linalg.norm(end - start)
    across = np.cross([0.0, 1.0, 0.0], way)
    scaled = section * np.broadcast_to(sizes, 2)[:, None, None]
    rings = np.stack([start, end])[:, None] + scaled[..., :1] * across + scaled[..., 1:] * np.array([0.0, 1.0, 0.0])
    return loft(rings)
