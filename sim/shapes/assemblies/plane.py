"""Aeroplanes: airliners, propeller planes, gliders, fighters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, circle, disc, loft, mirrored, rings_across
from sim.shapes.parts import Part

FOIL = np.array([(-0.5, 0.0), (-0.25, -0.05), (0.15, -0.04), (0.5, 0.0), (0.15, 0.05), (-0.25, 0.06)])
"""A wing's section over its chord: x from its leading edge back, and up."""


@dataclass(frozen=True)
class Plane(Family):
    """span: of both wings, over the length. wing_at, tail_at: where roots begin, as shares from the nose. wing_height:
    of its root on the body, from 0 below to 1 above. sweep: how far a tip is behind its root, over the half span."""

    category: ClassVar[str] = "plane"

    engines: str = one_of("under wings", "at the tail", "propeller", "none")
    length_m: float = within(10.0, 60.0)
    slenderness: float = within(0.09, 0.15)
    nose: float = within(0.06, 0.20)
    tail: float = within(0.25, 0.45)
    span: float = within(0.65, 1.15)
    chord: float = within(0.12, 0.26)
    wing_taper: float = within(0.2, 0.8)
    sweep: float = within(0.0, 0.75)
    dihedral: float = within(-0.03, 0.14)
    wing_at: float = within(0.30, 0.44)
    wing_height: float = within(0.15, 0.95)
    tail_span: float = within(0.30, 0.45)
    fin: float = within(0.12, 0.22)
    t_tail: float = within(0.0, 1.0)
    count: float = within(1.0, 2.49)
    gear: float = within(0.0, 1.0)

    def parts(self) -> tuple[Part, ...]:
        """Body, wings, tail, engines and wheels."""
        long = self.length_m
        radius = self.slenderness * long / 2
        middle = radius * 1.9
        parts = [self._body(long, radius, middle)]
        root = middle + radius * (1.6 * self.wing_height - 0.8)
        half, chord = self.span * long / 2, self.chord * long
        wing_x = long / 2 - self.wing_at * long
        wing = self._wing(wing_x, root, half, chord, self.wing_taper, self.sweep, self.dihedral)
        parts += [wing, mirrored(wing)]
        fin_low, fin_high = middle + 0.3 * radius, middle + radius + self.fin * long
        at, small = -long / 2 + 0.16 * long, 0.5 * chord + 0.02 * long
        parts.append(self._fin(at, fin_low, fin_high, small))
        height = fin_high - 0.02 * long if self.t_tail > 0.65 else middle + 0.35 * radius
        behind = 0.06 * long if self.t_tail > 0.65 else 0.0
        stabiliser = self._wing(at - behind, height, self.tail_span * half, 0.75 * small, 0.55, 0.4, 0.03)
        parts += [stabiliser, mirrored(stabiliser)]
        parts += self._engines(wing_x, root, half, chord, radius, middle)
        if self.gear > 0.5:
            wheel = 0.25 * radius
            for x, y in ((0.36 * long, 0.0), (-0.06 * long, 0.6 * radius), (-0.06 * long, -0.6 * radius)):
                parts.append(box((x - 0.1 * wheel, y - 0.1 * wheel, wheel), (x + 0.1 * wheel, y + 0.1 * wheel, middle)))
                parts.append(disc(1, (y - 0.4 * wheel, y + 0.4 * wheel), (wheel, wheel), (wheel, x)))
        lowest = min(float(part.vertices[:, 2].min()) for part in parts)
        return tuple(Part(part.vertices - (0, 0, lowest), part.faces, part.pieces) for part in parts)

    def _body(self, long: float, radius: float, middle: float) -> Part:
        tail = np.array([-long / 2 + s * self.tail * long for s in (0.0, 0.3, 0.7)])
        nose = np.array([long / 2 - s * self.nose * long for s in (1.0, 0.6, 0.25, 0.06, 0.0)])
        radii = radius * np.array([0.12, 0.45, 0.85, 1.0, 0.92, 0.68, 0.32, 0.06])
        rise = radius * np.array([0.55, 0.38, 0.12, 0.0, -0.02, -0.08, -0.15, -0.2])
        centres = np.stack([np.zeros(8), middle + rise], axis=-1)
        return loft(rings_across(0, [*tail, *nose], circle() * radii[:, None, None], centres))

    def _wing(
        self, x: float, z: float, half: float, chord: float, taper: float, sweep: float, dihedral: float
    ) -> Part:
        """The left one, whose root's leading edge is at x in the middle of the body."""
        stations = np.array([0.0, half])
        chords = chord * np.array([1.0, taper])
        # Sections across y are of z and x; forward is +x, and the foil's own x runs back.
        section = np.stack([FOIL[:, 1], -FOIL[:, 0]], axis=-1)
        centres = np.stack([z + dihedral * stations, x - sweep * stations - chords / 2], axis=-1)
        return loft(rings_across(1, stations, section * chords[:, None, None], centres))

    def _fin(self, x: float, low: float, high: float, chord: float) -> Part:
        stations, chords = np.array([low, high]), chord * np.array([1.0, 0.5])
        section = np.stack([-FOIL[:, 0], FOIL[:, 1]], axis=-1)[::-1]
        centres = np.stack([x - np.array([0.0, 0.7 * (high - low)]) - chords / 2, np.zeros(2)], axis=-1)
        return loft(rings_across(2, stations, section * chords[:, None, None], centres))

    def _engines(
        self, x: float, root: float, half: float, chord: float, radius: float, middle: float
    ) -> list[Part]:
        size = 0.42 * radius
        if self.engines == "propeller":
            front = self.length_m / 2
            blades = [
                box((front - 0.02 * radius, -0.08 * radius, middle - 1.3 * radius),
                    (front + 0.04 * radius, 0.08 * radius, middle + 0.9 * radius))
            ]  # fmt: skip
            stations, radii = (front - 0.1 * radius, front + 0.25 * radius), (0.25 * radius, 0.06 * radius)
            return [*blades, disc(0, stations, radii, (0.0, middle - 0.2 * radius))]
        if self.engines == "at the tail":
            at, y, z = -0.26 * self.length_m, 1.25 * radius, middle + 0.35 * radius
            pods = [self._pod(at, y, z, size)]
            pods.append(box((at - 0.8 * size, 0.5 * radius, z - 0.1 * size), (at + 0.8 * size, y, z + 0.1 * size)))
            return [*pods, *map(mirrored, pods)]
        if self.engines == "none":
            return []
        parts = []
        for i in range(round(self.count)):
            y = half * (0.33 + 0.3 * i)
            front, z = x - self.sweep * y, root + self.dihedral * y - 1.1 * size
            parts.append(self._pod(front + 0.1 * chord, y, z, size))
            parts.append(box((front - 0.3 * chord, y - 0.1 * size, z), (front, y + 0.1 * size, z + 1.1 * size)))
        return [*parts, *map(mirrored, parts)]

    def _pod(self, x: float, y: float, z: float, size: float) -> Part:
        stations = x + size * np.array([-1.6, -0.6, 0.9, 1.3])
        return disc(0, stations, size * np.array([0.5, 0.95, 1.0, 0.85]), (y, z), size=16)
