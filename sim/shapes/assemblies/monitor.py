"""Monitors and television sets on their stands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.assemblies.supports import SUNK_M, four_legs
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, cushion, disc, loft, rings_across, rounded
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Monitor(Family):
    """bulge_m: how far the back stands out, much with an old tube. bezel_m: the frame around the sunk screen."""

    category: ClassVar[str] = "monitor"

    stand: str = one_of("plate", "disc", "two feet", "legs")
    width_m: float = within(0.38, 1.20)
    ratio: float = within(0.52, 0.80)
    thickness_m: float = within(0.015, 0.05)
    bulge_m: float = within(0.0, 0.10)
    tube: float = within(0.0, 1.0)
    tube_m: float = within(0.20, 0.40)
    bulge_size: float = within(0.35, 0.8)
    bezel_m: float = within(0.008, 0.04)
    neck_m: float = within(0.05, 0.20)
    neck_width: float = within(0.05, 0.18)
    foot: float = within(0.25, 0.5)
    foot_depth_m: float = within(0.14, 0.26)

    def parts(self) -> tuple[Part, ...]:
        """Screen, back, neck and foot."""
        width, tall = self.width_m, self.width_m * self.ratio
        low, y, thick = self.neck_m, width / 2, self.thickness_m
        old = self.tube > 0.75
        parts = [box((-thick / 2, -y, low), (thick / 2, y, low + tall))]
        parts += self._bezel(low, tall)
        middle = (0.0, low + tall / 2)
        deep = self.tube_m * min(1.0, width / 0.6) if old else self.bulge_m
        if deep > 0.01:
            size = 0.97 if old else self.bulge_size
            outline = rounded(size * width, size * tall, 0.3)
            sections = outline * np.array([0.5 if old else 0.9, 0.75 if old else 1.0, 1.0])[:, None, None]
            stations = (-thick / 2 - deep, -thick / 2 - 0.6 * deep, -thick / 2 + SUNK_M)
            parts.append(loft(rings_across(0, stations, sections, middle)))
        return (*parts, *self._stand(low, -deep / 2 if old else 0.0))

    def _bezel(self, low: float, tall: float) -> list[Part]:
        front, y, rim = self.thickness_m / 2, self.width_m / 2, self.bezel_m
        first, last = front - SUNK_M, front + 0.006
        return [
            box((first, -y, low), (last, y, low + rim)),
            box((first, -y, low + tall - rim), (last, y, low + tall)),
            box((first, -y, low + rim / 2), (last, -y + rim, low + tall - rim / 2)),
            box((first, y - rim, low + rim / 2), (last, y, low + tall - rim / 2)),
        ]

    def _stand(self, low: float, x: float) -> list[Part]:
        wide, deep = self.foot * self.width_m / 2, self.foot_depth_m / 2
        if self.stand == "two feet":
            y = 0.7 * self.width_m / 2
            feet = [cushion((-deep, s * y - 0.015, 0.0), (deep, s * y + 0.015, 0.02), 0.005) for s in (-1, 1)]
            return feet + [box((-0.01, s * y - 0.01, 0.01), (0.01, s * y + 0.01, low + 0.02)) for s in (-1, 1)]
        if self.stand == "legs":
            return four_legs(low, 0.02, 0.6 * self.width_m / 2, 0.012, 0.8, 0.5, round_=False)
        half = self.neck_width * self.width_m / 2
        neck = box((x - 0.015, -half, 0.01), (x + 0.015, half, low + 0.03))
        if self.stand == "disc":
            return [neck, disc(2, (0.0, 0.01, 0.02), (deep, deep, 0.8 * deep), (x, 0.0))]
        return [neck, cushion((x - deep, -wide, 0.0), (x + deep, wide, 0.02), 0.006)]
