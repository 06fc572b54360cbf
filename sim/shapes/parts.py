"""Closed surfaces made of rings, with the convex pieces that fill them.

Every part is a stack of rings of equally many points between two poles, so that its topology depends on the number of
rings and of points alone. Convex pieces are sets of vertices: they follow wherever the vertices go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Part:
    """vertices (V, 3) m; faces (F, 3) int64, counter-clockwise from outside; pieces: indices of the vertices whose
    convex hulls fill the part."""

    vertices: np.ndarray
    faces: np.ndarray
    pieces: tuple[np.ndarray, ...]


def joined(parts: Sequence[Part]) -> Part:
    """All parts as one."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Part(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts[:-1], strict=True)]),
        tuple(piece + start for part, start in zip(parts, starts[:-1], strict=True) for piece in part.pieces),
    )


def stacked(first: np.ndarray, rings: np.ndarray, last: np.ndarray, pieces: Iterable[np.ndarray]) -> Part:
    """The surface through a pole (3,), rings (R, S, 3) and a pole (3,).

    Rings run counter-clockwise as seen from the last pole. pieces: indices of vertices; see `ring_indices`.
    """
    count, size = rings.shape[:2]
    index = ring_indices(count, size)
    after = np.roll(index, -1, axis=1)
    low, low_after, high, high_after = index[:-1], after[:-1], index[1:], after[1:]
    bands = np.stack([low, low_after, high_after, low, high_after, high], axis=-1).reshape(-1, 3)
    end = count * size + 1
    bottom = np.stack([np.zeros(size, int), after[0], index[0]], axis=-1)
    top = np.stack([np.full(size, end), index[-1], after[-1]], axis=-1)
    vertices = np.concatenate([first[None], rings.reshape(-1, 3), last[None]])
    return Part(vertices, np.concatenate([bottom, bands, top]), tuple(pieces))


def ring_indices(rings: int, size: int) -> np.ndarray:
    """(R, S) indices of the vertices of a stack; its first pole is vertex 0, its last one vertex R S + 1."""
    return 1 + np.arange(rings * size).reshape(rings, size)


def tube(
    path: np.ndarray, binormal: np.ndarray, half_sizes: np.ndarray, exponents: np.ndarray | float, size: int,
    rings_per_piece: int = 3,
) -> Part:
    """A section swept along a plane path (P, 3), closed at both ends.

    Sections are superellipses |a / A|^n + |b / B|^n = 1 with b along `binormal` (3,), the unit normal of the path's
    plane, and a along the path's own normal, their cross product with the direction of the path. half_sizes (P, 2):
    A and B, m. exponents: n, one or (P,). The first and last ring lie about the ends of the path.
    """
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    normals = np.cross(binormal, tangents)
    sections = superellipse(size, exponents, len(path)) * half_sizes[:, None, :]
    rings = path[:, None] + sections[:, :, :1] * normals[:, None] + sections[:, :, 1:] * binormal
    index = ring_indices(len(path), size)
    edges = np.unique(np.append(np.arange(0, len(path) - 1, rings_per_piece), len(path) - 1))
    # Every second point of a ring does, and so do the rings at both ends of a piece.
    pieces = [index[[low, high], ::2].ravel() for low, high in pairwise(edges)]
    return stacked(path[0], rings, path[-1], pieces)


def superellipse(size: int, exponents: np.ndarray | float, count: int) -> np.ndarray:
    """(count, size, 2) points of |x|^n + |y|^n = 1 at even angles, counter-clockwise; n = 2 is the circle."""
    turns = np.arange(size) * 2 * np.pi / size
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    n = np.broadcast_to(exponents, (count,))[:, None]
    return circle / ((np.abs(circle) ** n[..., None]).sum(axis=-1) ** (1 / n))[..., None]


def with_rings(part: Part, rings: slice | int, size: int, points: np.ndarray, pole: np.ndarray | None = None) -> Part:
    """The part with other points (S, 3) for one of its rings, and another pole (3,) at that end."""
    vertices = part.vertices.copy()
    stack = vertices[1:-1].reshape(-1, size, 3)
    stack[rings] = points
    if pole is not None:
        vertices[0 if rings == 0 else -1] = pole
    return Part(vertices, part.faces, part.pieces)
