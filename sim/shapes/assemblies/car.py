"""Cars, vans, buses and pickups."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, disc, loft, rings_across, rounded
from sim.shapes.parts import Part

# For each kind: length and height over the width, and as shares of the length, from the rear, where the cabin's floor
# begins and ends and where its roof does.
KINDS = {
    "sedan": (2.5, 0.80, (0.14, 0.72), (0.28, 0.56)),
    "hatchback": (2.15, 0.86, (0.03, 0.72), (0.10, 0.56)),
    "wagon": (2.55, 0.85, (0.02, 0.72), (0.06, 0.58)),
    "sports": (2.35, 0.63, (0.10, 0.70), (0.34, 0.52)),
    "van": (2.6, 1.05, (0.01, 0.93), (0.02, 0.78)),
    "bus": (3.8, 1.20, (0.005, 0.995), (0.01, 0.985)),
    "pickup": (2.9, 0.95, (0.40, 0.74), (0.43, 0.62)),
}


@dataclass(frozen=True)
class Car(Family):
    """length, height, roof: factors of what the kind has. belt: height of the windows' lower edge as a share."""

    category: ClassVar[str] = "car"

    kind: str = one_of(*KINDS)
    width_m: float = within(1.6, 2.1)
    length: float = within(0.9, 1.12)
    height: float = within(0.92, 1.10)
    belt: float = within(0.50, 0.66)
    clearance: float = within(0.08, 0.16)
    nose: float = within(0.65, 1.0)
    tail: float = within(0.75, 1.0)
    corner: float = within(0.15, 0.8)
    tumblehome: float = within(0.72, 0.95)
    shift: float = within(-0.03, 0.03)
    wheel: float = within(0.155, 0.20)
    wheel_width: float = within(0.10, 0.15)
    front_axle: float = within(0.76, 0.84)
    rear_axle: float = within(0.16, 0.24)
    bumper: float = within(0.0, 1.0)
    mirrors: float = within(0.0, 1.0)

    def parts(self) -> tuple[Part, ...]:
        """Body, cabin, wheels, and what stands out."""
        longer, higher, floor, roof = KINDS[self.kind]
        wide = self.width_m
        long, high = wide * longer * self.length, wide * higher * self.height
        back, low = -long / 2, self.clearance * wide
        belt = high * (0.42 + 0.12 * self.belt if self.kind in ("van", "bus") else self.belt)
        parts = [self._body(back, long, low, belt)]
        shift = 0.0 if self.kind in ("van", "bus") else self.shift
        below, above = ((np.array(ends) + shift) * long + back for ends in (floor, roof))
        full = rounded(1.0, 1.0, 0.35)
        cabin = rings_across(
            2,
            (belt - 0.02 * wide, high - 0.06 * wide, high),
            np.stack([
                full * (np.ptp(below), 0.96 * wide),
                full * (np.ptp(above) + 0.04 * wide, self.tumblehome * wide),
                full * (0.9 * np.ptp(above), 0.88 * self.tumblehome * wide),
            ]),
            np.stack([[below.mean(), 0.0], [above.mean(), 0.0], [above.mean(), 0.0]]),
        )
        parts.append(loft(cabin))
        parts += self._wheels(back, long)
        if self.kind == "pickup":
            end = float(below[0])
            parts += [
                box((back + 0.02 * wide, side * 0.47 * wide - 0.03 * wide, 0.7 * belt),
                    (end, side * 0.47 * wide + 0.03 * wide, belt + 0.12 * wide))
                for side in (-1, 1)
            ]  # fmt: skip
            parts.append(box((back, -0.47 * wide, 0.7 * belt), (back + 0.06 * wide, 0.47 * wide, belt + 0.12 * wide)))
        if self.bumper > 0.5:
            for x in (back, back + long):
                parts.append(box((x - 0.04 * wide, -0.44 * wide, low + 0.05 * wide),
                                 (x + 0.04 * wide, 0.44 * wide, low + 0.14 * wide)))  # fmt: skip
        if self.mirrors > 0.3:
            x = float(below[1]) - 0.22 * wide
            for side in (-1, 1):
                first, last = sorted((side * 0.45 * wide, side * 0.58 * wide))
                parts.append(box((x - 0.03 * wide, first, belt), (x + 0.03 * wide, last, belt + 0.09 * wide)))
        return tuple(parts)

    def _body(self, back: float, long: float, low: float, belt: float) -> Part:
        """The lower body, in sections along the length: lower and narrower at both ends."""
        share = np.array([0.0, 0.03, 0.12, 0.5, 0.82, 0.96, 1.0])
        boxy = self.kind in ("van", "bus")
        ends = 1.0 if boxy else self.tail, 1.0 if boxy else self.nose
        tops = np.interp(share, [0, 0.12, 0.7, 1.0], [ends[0], 1.0, 1.0, 0.82 * ends[1]])
        wides = np.array([0.86, 0.95, 1.0, 1.0, 0.98, 0.92, 0.80])
        if boxy:
            tops, wides = np.ones(7), np.array([0.96, 1.0, 1.0, 1.0, 1.0, 1.0, 0.94])
        heights = (belt - low) * tops
        heights[[0, -1]] *= 0.75
        sections = np.stack([
            rounded(width * self.width_m, height, self.corner) for width, height in zip(wides, heights, strict=True)
        ])  # fmt: skip
        raised = np.array([0.1, 0, 0, 0, 0, 0, 0.08]) * (belt - low)
        centres = np.stack([np.zeros(7), low + heights / 2 + raised], axis=-1)
        return loft(rings_across(0, back + share * long, sections, centres))

    def _wheels(self, back: float, long: float) -> list[Part]:
        radius, half = self.wheel * self.width_m, self.wheel_width * self.width_m / 2
        if self.kind == "bus":
            radius *= 1.15
        parts = []
        for share in (self.rear_axle, self.front_axle):
            for side in (-1, 1):
                y = side * (0.515 * self.width_m - half)
                stations = (y - half, y - 0.7 * half, y + 0.7 * half, y + half)
                radii = (0.85 * radius, radius, radius, 0.85 * radius)
                parts.append(disc(1, stations, radii, (radius, back + share * long)))
        return parts
