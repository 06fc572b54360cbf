"""Pans: a shallow or deep vessel and a long handle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, several, within
from sim.shapes.handles import bar
from sim.shapes.parts import Part
from sim.shapes.profiles import DENSE, radius_at, rounded_foot
from sim.shapes.vessels import outline, vessel


@dataclass(frozen=True)
class Pan(Family):
    """depth: height of the wall as a share of the radius. flare: radius of the base as a share of that of the rim.
    curve: exponent of the wall's way out. floor: its thickness in thicknesses of the wall. attach: height where the
    handle begins, as a share of the wall's. tilt_rad: how the handle rises; bend: how much of the rise is lost towards
    its end. handle_height_half_m, handle_width_half_m: half the sizes of its section at the wall, in the middle and at
    its end."""

    category: ClassVar[str] = "pan"

    radius_m: float = within(0.070, 0.130)
    depth: float = within(0.30, 0.80)
    flare: float = within(0.70, 1.00)
    curve: float = within(0.50, 1.20)
    edge_m: float = within(0.003, 0.012)
    wall_m: float = within(0.0025, 0.0045)
    floor: float = within(1.1, 2.2)
    attach: float = within(0.50, 0.80)
    handle_length_m: float = within(0.11, 0.20)
    tilt_rad: float = within(0.0, 0.45)
    bend: float = within(0.0, 1.0)
    handle_height_half_m: tuple[float, ...] = several(3, 0.005, 0.009)
    handle_width_half_m: tuple[float, ...] = several(3, 0.008, 0.016)
    handle_exponent: float = within(2.0, 4.0)

    def parts(self) -> tuple[Part, ...]:
        """Vessel and handle."""
        height, share = self.depth * self.radius_m, np.linspace(0, 1, DENSE)
        radii = self.radius_m * (self.flare + (1 - self.flare) * share**self.curve)
        profile = rounded_foot(np.stack([radii, height * share], axis=-1), self.edge_m)
        body = vessel(profile, self.wall_m, self.floor * self.wall_m, outline())
        start = self.attach * height
        rise = np.tan(self.tilt_rad) * (share - self.bend * share**2 / 2)
        x = radius_at(body.middle, start) + self.handle_length_m * share
        path = np.stack([x, np.zeros(DENSE), start + self.handle_length_m * rise], axis=-1)
        sizes = np.stack([self.handle_height_half_m, self.handle_width_half_m], axis=-1)
        return body.part, bar(path, sizes, self.handle_exponent, body.middle)
