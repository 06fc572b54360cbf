"""Mugs: a vessel and a handle like an ear."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, several, within
from sim.shapes.handles import ear
from sim.shapes.parts import Part
from sim.shapes.profiles import DENSE, rounded_foot, through
from sim.shapes.vessels import outline, vessel


@dataclass(frozen=True)
class Mug(Family):
    """taper: radius of the base as a share of that of the rim. profile: by what the radius differs further, at heights
    evenly apart, as shares of it, times swell. floor: its thickness in thicknesses of the wall. handle_low and
    handle_high: heights of the handle's ends, as shares of the height; thickness and width are its section's."""

    category: ClassVar[str] = "mug"

    height_m: float = within(0.070, 0.130)
    radius_m: float = within(0.032, 0.048)
    taper: float = within(0.76, 1.08)
    swell: float = within(0.0, 1.0)
    profile: tuple[float, ...] = several(5, -0.14, 0.10)
    wall_m: float = within(0.0025, 0.0055)
    floor: float = within(1.1, 2.2)
    edge_m: float = within(0.001, 0.010)
    handle_low: float = within(0.16, 0.36)
    handle_high: float = within(0.66, 0.86)
    handle_reach_m: float = within(0.022, 0.040)
    handle_squareness: float = within(1.8, 4.0)
    handle_droop: float = within(-1.0, 1.0)
    handle_thickness_m: float = within(0.006, 0.012)
    handle_width_m: float = within(0.008, 0.020)
    handle_exponent: float = within(2.0, 4.0)

    def parts(self) -> tuple[Part, ...]:
        """Vessel and handle."""
        heights = np.linspace(0, 1, DENSE)
        factors = self.taper + (1 - self.taper) * heights + self.swell * through(self.profile, heights)
        profile = np.stack([self.radius_m * factors, self.height_m * heights], axis=-1)
        body = vessel(rounded_foot(profile, self.edge_m), self.wall_m, self.floor * self.wall_m, outline())
        handle = ear(
            body.middle,
            self.handle_low * self.height_m,
            self.handle_high * self.height_m,
            self.handle_reach_m,
            self.handle_squareness,
            self.handle_droop,
            (self.handle_thickness_m / 2, self.handle_width_m / 2),
            self.handle_exponent,
        )
        return body.part, handle
