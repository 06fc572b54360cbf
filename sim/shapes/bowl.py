"""Bowls: from flat dishes to deep basins, round or squarer, with a foot and a lip."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, within
from sim.shapes.parts import Part
from sim.shapes.profiles import DENSE
from sim.shapes.vessels import outline, vessel


@dataclass(frozen=True)
class Bowl(Family):
    """depth: height as a share of the radius. foot: radius of the foot as a share of the radius. roundness: exponent
    of the superellipse that the wall follows, 1 for a cone. lip_m: how far the rim turns out. floor: its thickness in
    thicknesses of the wall. squareness: exponent of the outline, round up to 2; length_ratio: of its sides, even up
    to 1."""

    category: ClassVar[str] = "bowl"

    radius_m: float = within(0.050, 0.095)
    depth: float = within(0.45, 1.00)
    foot: float = within(0.35, 0.65)
    foot_height_m: float = within(0.001, 0.008)
    roundness: float = within(1.15, 2.60)
    lip_m: float = within(0.0, 0.008)
    wall_m: float = within(0.0025, 0.0055)
    floor: float = within(1.1, 2.2)
    squareness: float = within(1.0, 3.0)
    length_ratio: float = within(0.7, 1.3)

    def parts(self) -> tuple[Part, ...]:
        """The vessel."""
        height = self.depth * self.radius_m - self.foot_height_m
        turns, power = np.linspace(0, np.pi / 2, DENSE), 2 / self.roundness
        start, end = self.foot * self.radius_m, self.radius_m - self.lip_m
        rise = 1 - np.cos(turns) ** power
        radii = start + (end - start) * np.sin(turns) ** power + self.lip_m * np.clip((rise - 0.7) / 0.3, 0, 1) ** 2
        wall = np.stack([radii, self.foot_height_m + height * rise], axis=-1)
        foot = np.stack([np.full(9, start), np.linspace(0, self.foot_height_m, 10)[:-1]], axis=-1)
        ring = outline(max(self.squareness, 2.0), max(self.length_ratio, 1.0))
        floor_m = self.foot_height_m + self.floor * self.wall_m
        return (vessel(np.concatenate([foot, wall]), self.wall_m, floor_m, ring).part,)
