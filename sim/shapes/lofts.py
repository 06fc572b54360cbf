"""Closed surfaces through rings of points: boxes, discs, columns, hulls. Any of them is one call of `loft`.

Axes are 0, 1, 2 for x, y, z. A section across an axis is (S, 2) of the two that follow it in the cycle x, y, z, so that
counter-clockwise sections at rising stations face outwards.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from sim.shapes.parts import Part, ring_indices, stacked, superellipse

ROUND = 24
_CORNER_POINTS = 5


def loft(rings: np.ndarray) -> Part:
    """The surface through rings (R, S, 3), closed at both ends; the hull of each two that follow each other is one of
    its convex pieces. Rings run counter-clockwise as seen from the last one's side."""
    index = ring_indices(*rings.shape[:2])
    pieces = [np.concatenate([low, high]) for low, high in pairwise(index)]
    return stacked(rings[0].mean(axis=0), rings, rings[-1].mean(axis=0), pieces)


def rings_across(axis: int, stations: ArrayLike, sections: np.ndarray, centres: ArrayLike = (0.0, 0.0)) -> np.ndarray:
    """(R, S, 3) rings across an axis at stations (R,): sections (S, 2) or (R, S, 2), moved by (2,) or (R, 2)."""
    places = np.asarray(stations, dtype=float)
    moved = sections + np.broadcast_to(np.asarray(centres, dtype=float), (len(places), 2))[:, None]
    rings = np.empty((*moved.shape[:2], 3))
    rings[..., axis] = places[:, None]
    rings[..., (axis + 1) % 3], rings[..., (axis + 2) % 3] = moved[..., 0], moved[..., 1]
    return rings


def box(low: ArrayLike, high: ArrayLike) -> Part:
    """The box between two corners (3,)."""
    first, last = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    return loft(rings_across(2, (first[2], last[2]), rectangle(*(last - first)[:2]), ((first + last) / 2)[:2]))


def cushion(low: ArrayLike, high: ArrayLike, edge: float, corner: float = 0.1, axis: int = 2) -> Part:
    """A box whose edges across an axis are drawn in by `edge`, and whose corners along it are rounded; see
    `rounded`."""
    first, last = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    size, middle = last - first, (first + last) / 2
    u, v = (axis + 1) % 3, (axis + 2) % 3
    edge = min(edge, 0.45 * float(size.min()))
    outline = rounded(size[u], size[v], corner)
    shares = 1 - 2 * edge / np.array([size[u], size[v]])
    sections = np.stack([outline * shares, outline, outline, outline * shares])
    stations = (first[axis], first[axis] + edge, last[axis] - edge, last[axis])
    return loft(rings_across(axis, stations, sections, (middle[u], middle[v])))


def disc(axis: int, stations: ArrayLike, radii: ArrayLike, centre: ArrayLike = (0.0, 0.0), size: int = ROUND) -> Part:
    """A body of revolution about an axis through `centre`: radii (R,) at stations (R,)."""
    return loft(rings_across(axis, stations, circle(size) * np.asarray(radii, dtype=float)[:, None, None], centre))


def strut(start: ArrayLike, end: ArrayLike, half_start: ArrayLike, half_end: ArrayLike, section: np.ndarray) -> Part:
    """A straight bar between two points (3,), of which the second is higher: horizontal sections (S, 2) scaled by half
    sizes, a number or (2,), at both ends."""
    ends = np.stack([np.asarray(start, dtype=float), np.asarray(end, dtype=float)])
    halves = np.stack([np.broadcast_to(half_start, 2), np.broadcast_to(half_end, 2)])
    return loft(rings_across(2, ends[:, 2], section * halves[:, None], ends[:, :2]))


def mirrored(part: Part, axis: int = 1) -> Part:
    """The part on the other side of the plane through the origin across an axis."""
    vertices = part.vertices.copy()
    vertices[:, axis] *= -1
    return Part(vertices, part.faces[:, ::-1], part.pieces)


def turned(part: Part, angle_rad: float, axis: int = 2, about: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
    """The part turned about an axis through a point (3,)."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.eye(3)
    u, v = (axis + 1) % 3, (axis + 2) % 3
    turn[u, u], turn[u, v], turn[v, u], turn[v, v] = cos, -sin, sin, cos
    centre = np.asarray(about, dtype=float)
    return Part((part.vertices - centre) @ turn.T + centre, part.faces, part.pieces)


def circle(size: int = ROUND) -> np.ndarray:
    """(size, 2) points of the unit circle."""
    return superellipse(size, 2.0, 1)[0]


def square() -> np.ndarray:
    """(4, 2) corners of the square of half size 1."""
    return np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def rectangle(width: float, depth: float) -> np.ndarray:
    """(4, 2) corners about the origin."""
    return square() * (width / 2, depth / 2)


def rounded(width: float, depth: float, share: float) -> np.ndarray:
    """(S, 2) outline of a rectangle about the origin, the radius of its corners a share of half its shorter side."""
    radius = min(max(share, 0.01), 1.0) * min(width, depth) / 2 * (1 - 1e-3)
    turns = np.linspace(0, np.pi / 2, _CORNER_POINTS)
    corners = []
    for quarter, (x, y) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        angle = turns + quarter * np.pi / 2
        centre = (x * (width / 2 - radius), y * (depth / 2 - radius))
        corners.append(np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius + centre)
    return np.concatenate(corners)
