"""Cups without a handle: beakers, tumblers, and goblets on a stem."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, several, within
from sim.shapes.parts import Part
from sim.shapes.profiles import DENSE, rounded_foot, through
from sim.shapes.vessels import outline, vessel

CORE_ROWS, CORE_BANDS = 12, 4
FOOT = 0.12  # share of the stem's height that is the foot


@dataclass(frozen=True)
class Cup(Family):
    """waist: how far the stem is drawn in, from not at all (0 and below) to the stem_radius share of the radius;
    stem: its height as a share of the whole. taper: radius of the base as a share of that of the rim. profile: by what
    the radius differs further, at heights evenly apart, as shares of it, times swell. floor: its thickness in
    thicknesses of the wall. squareness: exponent of the outline, round up to 2."""

    category: ClassVar[str] = "cup"

    height_m: float = within(0.065, 0.150)
    radius_m: float = within(0.028, 0.042)
    taper: float = within(0.75, 1.02)
    swell: float = within(0.0, 1.0)
    profile: tuple[float, ...] = several(5, -0.12, 0.10)
    wall_m: float = within(0.002, 0.005)
    floor: float = within(1.1, 2.2)
    edge_m: float = within(0.001, 0.008)
    squareness: float = within(1.2, 3.0)
    waist: float = within(-1.0, 1.0)
    stem: float = within(0.20, 0.40)
    stem_radius: float = within(0.30, 0.70)

    def parts(self) -> tuple[Part, ...]:
        """The vessel."""
        heights = np.linspace(0, 1, DENSE)
        factors = self.taper + (1 - self.taper) * heights + self.swell * through(self.profile, heights)
        radii = self.radius_m * factors
        waist = max(self.waist, 0.0)
        rise = np.clip(heights / self.stem, 0, 1)
        # Drawn in from the foot to half the stem's height, and out again to where the bowl begins.
        drawn = _smooth((rise - FOOT) / (0.45 - FOOT)) * _smooth((1 - rise) / 0.45)
        radii = radii * (1 - waist * (1 - self.stem_radius) * drawn)
        profile = rounded_foot(np.stack([radii, self.height_m * heights], axis=-1), self.edge_m)
        floor = self.floor * self.wall_m + waist * self.stem * self.height_m
        return (vessel(profile, self.wall_m, floor, outline(max(self.squareness, 2.0)), CORE_ROWS, CORE_BANDS).part,)


def _smooth(share: np.ndarray) -> np.ndarray:
    inside = np.clip(share, 0, 1)
    return inside**2 * (3 - 2 * inside)
