"""Antipodal grasps of a mesh, as Dex-Net samples them (Mahler et al., ICRA 2016; RSS 2017).

A point on the surface and a line into the object inside the friction cone there; where the line leaves the object
inside the friction cone again, two fingers hold it. Each pair of contacts gives grasps from several sides.
"""

from dataclasses import dataclass

import numpy as np

from perception.clearance import unobstructed
from perception.hand import PANDA, Hand, frames

SURFACE_POINTS = 3000
CHUNK = 64  # of rays, which all triangles are met with at once
LEAST_WIDTH_M, NUDGE_M = 0.001, 1e-5
APPROACHES = 12
WIDER_M = (0.024, 0.012)  # than the pair of contacts comes the open hand, or the second where the first does not fit

STANDING = np.eye(4)


@dataclass(frozen=True, eq=False)
class Surface:
    """Points (N, 3) even over the area of a mesh, and the outward normals (N, 3) there."""

    points: np.ndarray
    normals: np.ndarray


def surface_of(
    vertices: np.ndarray, faces: np.ndarray, rng: np.random.Generator, count: int = SURFACE_POINTS
) -> Surface:
    """Points drawn evenly from the area of a mesh; raises ValueError for one that has none."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(cross, axis=1)
    if not (np.isfinite(doubled).all() and doubled.sum() > 0):
        raise ValueError("the mesh has no area, or vertices that are not finite: repair it.")
    chosen = rng.choice(len(faces), count, p=doubled / doubled.sum())
    u, v = rng.random((2, count, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    triangle = corners[chosen]
    points = triangle[:, 0] + u * (triangle[:, 1] - triangle[:, 0]) + v * (triangle[:, 2] - triangle[:, 0])
    return Surface(points, cross[chosen] / doubled[chosen, None])


@dataclass(frozen=True, eq=False)
class Candidates:
    """Grasps that nothing is in the way of: T_object_clamp (G, 4, 4) and the opening (G,) to come with, m."""

    T_object_clamp: np.ndarray
    opening_m: np.ndarray


def sample_grasps(
    vertices: np.ndarray, faces: np.ndarray, rng: np.random.Generator, pairs: int = 400, friction: float = 0.5,
    hand: Hand = PANDA, T_table_object: np.ndarray | None = STANDING,
) -> Candidates:
    """Antipodal grasps of a closed mesh, vertices (V, 3) m and faces (F, 3) counter-clockwise from outside.

    pairs: of points and lines tried. friction: Coulomb's coefficient. T_table_object (4, 4): how the object stands on
    the plane z = 0 of its table, which the hand keeps clear of; None where there is no table. Raises ValueError for a
    mesh without area.
    """
    surface = surface_of(vertices, faces, rng)
    first, second = _pairs(vertices, faces, surface, rng, pairs, friction, hand.opening_m - min(WIDER_M) / 2)
    closing = second - first
    width = np.linalg.norm(closing, axis=1)
    closing /= np.maximum(width, 1e-12)[:, None]
    middle = (first + second) / 2
    # Approaches evenly about the closing direction, from a random one on.
    across = np.cross(closing, np.eye(3)[np.abs(closing).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    turns = rng.uniform(0, 2 * np.pi, (len(closing), 1)) + np.arange(APPROACHES) * 2 * np.pi / APPROACHES
    cos, sin = np.cos(turns)[..., None], np.sin(turns)[..., None]
    approach = (cos * across[:, None] + sin * np.cross(closing, across)[:, None]).reshape(-1, 3)
    closing, middle, widths = (np.repeat(each, APPROACHES, axis=0) for each in (closing, middle, width))
    poses = frames(closing, approach, middle)
    opening, free = np.zeros(len(poses)), np.zeros(len(poses), dtype=bool)
    for wider in WIDER_M:
        left = np.flatnonzero(~free)
        opening[left] = np.minimum(widths[left] + wider, hand.opening_m)
        free[left] = unobstructed(surface.points, poses[left], opening[left], hand, T_table_object)
    return Candidates(poses[free], opening[free])


def _pairs(
    vertices: np.ndarray, faces: np.ndarray, surface: Surface, rng: np.random.Generator, count: int, friction: float,
    widest_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of contacts (P, 3), (P, 3) with the line between them in the friction cones of both."""
    chosen = rng.choice(len(surface.points), count)
    start, inward = surface.points[chosen], -surface.normals[chosen]
    cosine = 1 / np.hypot(1, friction)
    across = rng.normal(size=(count, 3))
    across -= (across * inward).sum(axis=1, keepdims=True) * inward
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    # Even in the cone's base area.
    way = inward + friction * np.sqrt(rng.random((count, 1))) * across
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    corners = vertices[faces]
    edges = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals = np.cross(*edges)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)
    firsts, seconds = [], []
    for low in range(0, count, CHUNK):
        rays = slice(low, low + CHUNK)
        lengths = ray_hits(start[rays] + NUDGE_M * way[rays], way[rays], corners[:, 0], *edges)
        fits = (lengths > LEAST_WIDTH_M) & (lengths < widest_m) & (way[rays] @ normals.T > cosine)
        ray, face = np.nonzero(fits)
        firsts.append(start[rays][ray])
        seconds.append(start[rays][ray] + lengths[ray, face, None] * way[rays][ray])
    return np.concatenate(firsts), np.concatenate(seconds)


def ray_hits(
    origins: np.ndarray, ways: np.ndarray, corner: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """(R, F) how far along each ray each triangle is met, inf where it is not (Möller and Trumbore, 1997)."""
    normal = np.cross(first, second)
    slope = ways @ normal.T
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = origins[:, None] - corner
        length = -(offset * normal).sum(axis=-1) / slope
        turned = np.cross(offset, ways[:, None])
        u = -(turned * second).sum(axis=-1) / slope
        v = (turned * first).sum(axis=-1) / slope
        met = (u >= 0) & (v >= 0) & (u + v <= 1) & (length > 0)
    return np.where(met, length, np.inf)
