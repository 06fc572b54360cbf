"""Handles: tubes that begin in the middle of a wall."""

import numpy as np

from sim.shapes.parts import Part, tube, with_rings
from sim.shapes.profiles import DENSE, radius_at, resampled

EAR_RINGS, EAR_POINTS = 28, 20
BAR_RINGS, BAR_POINTS = 28, 20
ROUND_RINGS = 5  # of a bar's round end
SIDEWAYS = np.array([0.0, 1.0, 0.0])


def ear(
    wall: np.ndarray, low_m: float, high_m: float, reach_m: float, squareness: float, droop: float,
    half_sizes_m: tuple[float, float], exponent: float,
) -> Part:
    """A mug's handle along +x, from height high_m of the wall out by reach_m and back at low_m.

    wall (D, 2): the profile in the middle of the wall. squareness: exponent of the superellipse that it follows, 2
    for round. droop in [-1, 1]: where it reaches farthest, below the middle or above it. half_sizes_m: of the
    section in the handle's plane and across it; exponent: of the section.
    """
    turns = np.linspace(0, np.pi, DENSE)
    out = np.sin(turns) ** (2 / squareness)
    way = (1 - np.sign(np.cos(turns)) * np.abs(np.cos(turns)) ** (2 / squareness)) / 2
    ends = radius_at(wall, [high_m, low_m])
    widest = radius_at(wall, np.linspace(low_m, high_m, DENSE)).max()
    foot = ends[0] + way * (ends[1] - ends[0])
    x = foot + out * (widest + reach_m - foot) * (1 + 0.25 * droop * (2 * way - 1))
    z = high_m + way * (low_m - high_m)
    path = resampled(np.stack([x, np.zeros(DENSE), z], axis=-1), EAR_RINGS)
    part = tube(path, SIDEWAYS, np.tile(half_sizes_m, (EAR_RINGS, 1)), exponent, EAR_POINTS, rings_per_piece=3)
    return _onto_wall(_onto_wall(part, wall, 0, EAR_POINTS), wall, EAR_RINGS - 1, EAR_POINTS)


def bar(path: np.ndarray, half_sizes_m: np.ndarray, exponent: float, wall: np.ndarray | None = None) -> Part:
    """A long handle along a dense path (D, 3) in the plane y = 0, with a round end.

    half_sizes_m (C, 2): of the section, up and across, at places evenly apart along it. wall: the profile (D, 2) that
    it begins at, if it does.
    """
    length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    tip = min(float(half_sizes_m[-1].min()) / length, 0.25)
    along = np.linspace(0, 1 - tip, BAR_RINGS - ROUND_RINGS)
    turns = np.linspace(0, np.pi / 2, ROUND_RINGS + 2)[1:-1]
    along = np.concatenate([along, 1 - tip + tip * np.sin(turns)])
    shrink = np.concatenate([np.ones(BAR_RINGS - ROUND_RINGS), np.cos(turns)])
    places = np.linspace(0, 1, len(path))
    dense = resampled(path, len(path))
    points = np.stack([np.interp(along, places, column) for column in dense.T], axis=-1)
    controls = np.linspace(0, 1, len(half_sizes_m))
    sizes = np.stack([np.interp(along, controls, column) for column in half_sizes_m.T], axis=-1) * shrink[:, None]
    part = tube(points, SIDEWAYS, sizes, exponent, BAR_POINTS, rings_per_piece=4)
    return part if wall is None else _onto_wall(part, wall, 0, BAR_POINTS)


def _onto_wall(part: Part, wall: np.ndarray, ring: int, size: int) -> Part:
    """The part with its end ring moved along x onto the middle of a round wall, so that no gap is left."""
    points = part.vertices[1:-1].reshape(-1, size, 3)[ring].copy()
    points[:, 0] = np.sqrt(np.maximum(radius_at(wall, points[:, 2]) ** 2 - points[:, 1] ** 2, 0))
    return with_rings(part, ring, size, points, points.mean(axis=0))
