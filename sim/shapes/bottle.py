"""Bottles, closed by a cap: body, shoulder, neck."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, several, within
from sim.shapes.parts import Part
from sim.shapes.profiles import DENSE, resampled, rounded_foot, through
from sim.shapes.vessels import solid

BODY_ROWS, SHOULDER_ROWS, NECK_ROWS = 22, 12, 8
EDGES = (0, 2, 6, 11, 16, 21, 24, 27, 30, 33, 37, 41)
BANDS = (*pairwise(EDGES), (42, 46))  # between the last two are neck and cap, where the cap's underside is


@dataclass(frozen=True)
class Bottle(Family):
    """shoulder, neck: the heights at which the body ends and at which the neck begins, the second as a share of what
    is above the first; cap: the cap's height as a share of the neck's. profile: by what the body's radius differs, at
    heights evenly apart, as shares of it, times swell. squareness: exponent of the body's outline, round up to 2."""

    category: ClassVar[str] = "bottle"

    height_m: float = within(0.12, 0.26)
    radius_m: float = within(0.022, 0.042)
    swell: float = within(0.0, 1.0)
    profile: tuple[float, ...] = several(5, -0.16, 0.06)
    squareness: float = within(1.2, 4.0)
    edge_m: float = within(0.002, 0.008)
    shoulder: float = within(0.50, 0.75)
    neck: float = within(0.25, 0.60)
    shoulder_roundness: float = within(0.6, 1.8)
    neck_radius_m: float = within(0.009, 0.016)
    neck_flare: float = within(0.85, 1.15)
    cap: float = within(0.30, 0.60)
    cap_lip_m: float = within(0.0005, 0.004)

    def parts(self) -> tuple[Part, ...]:
        """One closed surface."""
        shoulder, top = self.shoulder * self.height_m, self.height_m
        neck = shoulder + self.neck * (top - shoulder)
        cap = top - self.cap * (top - neck)
        share = np.linspace(0, 1, DENSE)
        body = np.stack([self.radius_m * (1 + self.swell * through(self.profile, share)), shoulder * share], axis=-1)
        body = rounded_foot(body, self.edge_m)
        end = body[-1, 0]
        fall = (1 - np.cos(np.pi * share**self.shoulder_roundness)) / 2
        slope = np.stack([end + (self.neck_radius_m - end) * fall, shoulder + (neck - shoulder) * share], axis=-1)
        flare = 1 + (self.neck_flare - 1) * share
        tube = np.stack([self.neck_radius_m * flare, neck + (cap - neck) * share], axis=-1)
        lid = tube[-1, 0] + self.cap_lip_m
        rim = min(0.002, lid / 4)
        lids = np.array(
            [(lid, cap), (lid, (cap + top) / 2), (lid, top - rim), (lid - 0.3 * rim, top - 0.3 * rim), (lid - rim, top)]
        )
        above = resampled(slope, SHOULDER_ROWS + 1)[1:], resampled(tube, NECK_ROWS + 1)[1:]
        rows = np.concatenate([resampled(body, BODY_ROWS), *above, lids])
        squareness = np.interp(rows[:, 1], [shoulder, neck], [max(self.squareness, 2.0), 2.0])
        return (solid(rows, squareness, BANDS),)
