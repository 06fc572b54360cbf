"""What furniture stands on."""

import numpy as np

from sim.shapes.lofts import box, circle, disc, square, strut, turned
from sim.shapes.parts import Part

SUNK_M = 0.005
"""How deep one part goes into another, so that no two surfaces lie in one plane."""


def four_legs(
    height_m: float, half_x_m: float, half_y_m: float, half_m: float, taper: float, splay: float, round_: bool
) -> list[Part]:
    """Legs up to height_m at (+-half_x_m, +-half_y_m), of half thickness half_m there and `taper` times that at the
    floor, where they stand farther out by `splay` times the height."""
    section = circle(12) if round_ else square()
    parts = []
    for x in (-1, 1):
        for y in (-1, 1):
            top = np.array([x * half_x_m, y * half_y_m, height_m + SUNK_M])
            foot = np.array([x * (half_x_m + splay * height_m), y * (half_y_m + splay * height_m), 0.0])
            parts.append(strut(foot, top, taper * half_m, half_m, section))
    return parts


def pedestal(height_m: float, radius_m: float, foot_m: float, spokes: int) -> list[Part]:
    """A column with a foot as wide as foot_m: a plate, or a star of so many spokes where there are any."""
    thick = min(0.03, 0.1 * height_m)
    column = disc(2, (thick / 2, height_m + SUNK_M), (radius_m, radius_m))
    if spokes == 0:
        return [column, disc(2, (0.0, 0.6 * thick, thick), (foot_m, foot_m, 0.5 * foot_m))]
    spoke = box((0.0, -0.02, 0.0), (foot_m, 0.02, thick))
    return [column, *(turned(spoke, 2 * np.pi * i / spokes + 0.2) for i in range(spokes))]


def two_runners(height_m: float, half_x_m: float, half_y_m: float, half_m: float) -> list[Part]:
    """A frame on each side: two posts on a runner along x."""
    parts = []
    for y in (-half_y_m, half_y_m):
        parts.append(box((-half_x_m - half_m, y - half_m, 0.0), (half_x_m + half_m, y + half_m, 2 * half_m)))
        parts += [
            box((x - half_m, y - half_m, half_m), (x + half_m, y + half_m, height_m + SUNK_M))
            for x in (-half_x_m, half_x_m)
        ]
    return parts
