"""Loudspeakers: boxes and columns with their cones, on feet or without."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.assemblies.supports import SUNK_M
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, cushion, disc, loft, rings_across, rounded
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Speaker(Family):
    """tall: height over width. ways: how many cones, rounded, each smaller than the one below. A round speaker is a
    column or a drop that has them at its front too. stand: below a half there is none."""

    category: ClassVar[str] = "speaker"

    body: str = one_of("box", "soft box", "column")
    width_m: float = within(0.12, 0.40)
    depth: float = within(0.7, 1.4)
    tall: float = within(0.9, 4.0)
    edge: float = within(0.02, 0.15)
    corner: float = within(0.05, 0.7)
    taper: float = within(0.7, 1.0)
    ways: float = within(1.0, 4.0)
    cone: float = within(0.55, 0.9)
    shrink: float = within(0.55, 0.95)
    bulge: float = within(0.1, 0.5)
    stand: float = within(0.0, 1.0)
    stand_height: float = within(0.2, 1.5)
    plinth: float = within(0.0, 1.0)

    def parts(self) -> tuple[Part, ...]:
        """Body, cones, what it stands on."""
        wide = self.width_m
        deep, high = wide * self.depth, wide * self.tall
        low = wide * self.stand_height if self.stand > 0.6 and self.tall < 2 else 0.0
        x, y = deep / 2, wide / 2
        parts = []
        if low:
            parts.append(box((-0.6 * x, -0.8 * y, 0.0), (0.6 * x, 0.8 * y, 0.02 + 0.03 * wide)))
            parts.append(disc(2, (0.01, low + SUNK_M), (0.15 * wide, 0.12 * wide)))
        elif self.plinth > 0.5:
            low = 0.06 * wide + 0.01
            parts.append(box((-1.05 * x, -1.1 * y, 0.0), (1.05 * x, 1.1 * y, low + SUNK_M)))
        if self.body == "box":
            parts.append(box((-x, -y, low), (x, y, low + high)))
        elif self.body == "soft box":
            parts.append(cushion((-x, -y, low), (x, y, low + high), self.edge * wide, self.corner))
        else:
            share = np.linspace(0, 1, 6)
            sizes = 1 - (1 - self.taper) * share
            sizes[0] *= 0.95
            sizes[-1] *= 0.9
            outline = rounded(deep, wide, 1.0) * sizes[:, None, None]
            parts.append(loft(rings_across(2, low + high * share, outline)))
        return (*parts, *self._cones(x, low, high))

    def _cones(self, x: float, low: float, high: float) -> list[Part]:
        radius = self.cone * self.width_m / 2
        parts, z = [], low + 0.04 * high
        for _ in range(round(self.ways)):
            if z + 2 * radius > low + 0.97 * high:
                break
            share = (z + radius - low) / high
            at = x * (1 - (1 - self.taper) * share if self.body == "column" else 1.0)
            stations = (at - 0.25 * x, at + 0.05 * radius, at + 0.05 * radius + self.bulge * 0.5 * radius)
            parts.append(disc(0, stations, (radius, radius, 0.55 * radius), (0.0, z + radius)))
            z += 2.1 * radius
            radius *= self.shrink
        return parts
