"""Oriented boxes: whether they touch each other or balls, and which rays they stop.

The separating axis test is Gottschalk, Lin and Manocha's (SIGGRAPH 1996); rays against slabs Kay and Kajiya's (1986).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from sim.meshes import Mesh

_SECOND, _THIRD = [1, 2, 0], [2, 0, 1]  # the axes that follow each axis


@dataclass(frozen=True, eq=False)
class Boxes:
    """N boxes: centres (N, 3) m, axes (N, 3, 3) with unit columns, half sides (N, 3) m."""

    centres: np.ndarray
    axes: np.ndarray
    halves: np.ndarray

    @classmethod
    def of(cls, poses: np.ndarray, low: np.ndarray, high: np.ndarray) -> Self:
        """Boxes that span low to high, (3,) or (N, 3), in the frames of poses (N, 4, 4)."""
        middles = np.broadcast_to((low + high) / 2, (len(poses), 3))
        centres = (poses[:, :3, :3] @ middles[:, :, None])[:, :, 0] + poses[:, :3, 3]
        return cls(centres, poses[:, :3, :3], np.broadcast_to((high - low) / 2, centres.shape))

    @classmethod
    def none(cls) -> Self:
        """No boxes at all."""
        return cls(np.empty((0, 3)), np.empty((0, 3, 3)), np.empty((0, 3)))

    def and_(self, other: "Boxes") -> "Boxes":
        """These boxes and the others."""
        return Boxes(
            np.concatenate([self.centres, other.centres]),
            np.concatenate([self.axes, other.axes]),
            np.concatenate([self.halves, other.halves]),
        )

    def one(self, number: int) -> "Boxes":
        """One of the boxes."""
        part = slice(number, number + 1)
        return Boxes(self.centres[part], self.axes[part], self.halves[part])

    def some(self, chosen: np.ndarray) -> "Boxes":
        """The boxes of a mask (N,) or of numbers."""
        return Boxes(self.centres[chosen], self.axes[chosen], self.halves[chosen])

    def clears(self, other: "Boxes", gap_m: float) -> bool:
        """Whether one other box keeps gap_m from all of these."""
        apart = np.linalg.norm(self.centres - other.centres, axis=1)
        reach = np.linalg.norm(self.halves, axis=1) + np.linalg.norm(other.halves) + gap_m
        near = np.flatnonzero(apart < reach)
        if len(near) == 0:
            return True
        return bool(self.some(near).gaps(other).min() >= gap_m)

    def gaps(self, other: "Boxes") -> np.ndarray:
        """(N, M) the widest gap that an axis shows between each box and each of the others, negative if they touch.

        The true distance is at least that gap.
        """
        mine, theirs = self.halves[:, None], other.halves[None]
        way = ((other.centres[None] - self.centres[:, None])[:, :, None] @ self.axes[:, None])[:, :, 0]
        turn = (
            self.axes.transpose(0, 2, 1)[:, None] @ other.axes[None]
        )  # of the others' axes, in these boxes' frames
        size = np.abs(turn)
        own = np.abs(way) - mine - (size @ theirs[..., None])[..., 0]
        others = np.abs((way[:, :, None] @ turn)[:, :, 0]) - theirs - (mine[:, :, None] @ size)[:, :, 0]
        apart = np.abs(
            way[..., _THIRD, None] * turn[:, :, _SECOND] - way[..., _SECOND, None] * turn[:, :, _THIRD]
        )
        reach = mine[..., _SECOND, None] * size[:, :, _THIRD] + mine[..., _THIRD, None] * size[:, :, _SECOND]
        reach = (
            reach
            + theirs[..., None, _SECOND] * size[..., _THIRD]
            + theirs[..., None, _THIRD] * size[..., _SECOND]
        )
        length = np.sqrt(np.maximum(1 - turn**2, 0))
        crossed = np.where(length > 1e-3, (apart - reach) / np.maximum(length, 1e-3), -np.inf).max(
            axis=(2, 3)
        )
        return np.asarray(np.maximum(np.maximum(own.max(axis=2), others.max(axis=2)), crossed))

    def gaps_to_balls(self, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
        """(N, K) distances of each box from balls with centres (K, 3) and radii (K,), negative where they touch."""
        local = (centres[None] - self.centres[:, None]) @ self.axes
        outside = np.maximum(np.abs(local) - self.halves[:, None], 0)
        return np.asarray(np.linalg.norm(outside, axis=-1) - radii)

    def stops(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """(N, R) whether a box is met by the segments from start (R, 3) to end (R, 3)."""
        origin = (start[None] - self.centres[:, None]) @ self.axes
        way = (end - start)[None] @ self.axes
        way = np.where(np.abs(way) < 1e-12, 1e-12, way)
        first, second = (-self.halves[:, None] - origin) / way, (self.halves[:, None] - origin) / way
        enter = np.minimum(first, second).max(axis=-1)
        leave = np.maximum(first, second).min(axis=-1)
        return np.asarray((enter <= leave) & (leave > 0) & (enter < 1))


def balls_stop(centres: np.ndarray, radii: np.ndarray, eye: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(R,) whether any of the balls (K) is met by each of the segments from eye (3,) to ends (R, 3)."""
    way, to_centre = ends - eye, centres - eye
    share = np.minimum(np.maximum((way @ to_centre.T) / (way**2).sum(axis=1)[:, None], 0), 1)
    miss = to_centre[None] - share[..., None] * way[:, None]
    return np.asarray(((miss**2).sum(axis=-1) < radii**2).any(axis=1))


def bounds(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner (3,) of a mesh."""
    return mesh.vertices.min(axis=0).astype(float), mesh.vertices.max(axis=0).astype(float)
