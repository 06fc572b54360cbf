"""Points of a thing's outer surface: parts go into each other, and what lies within another one is no surface."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import ConvexHull

from perception.shapes.sampling import area_samples
from perception.shapes.shape import Shape
from sim.shapes.parts import Part

_SURPLUS = 1.1


class Outside:
    """The outer surface of closed parts that may go into each other, to be sampled any number of times."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._solids = [_Solid(part) for part in parts]
        firsts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        faces = [part.faces + first for part, first in zip(parts, firsts[:-1], strict=True)]
        self._owner = np.repeat(np.arange(len(parts)), [len(part.faces) for part in parts])
        self._mesh = Shape(np.concatenate([part.vertices for part in parts]), np.concatenate(faces))
        self._kept = 1.0

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random points (count, 3) m, everywhere as likely, and their unit normals (count, 3), outwards."""
        points, normals = np.empty((0, 3)), np.empty((0, 3))
        while len(points) < count:
            wanted = count - len(points)
            tried, faces, _ = area_samples(self._mesh, int(_SURPLUS * wanted / self._kept) + 8, rng)
            outside = ~self._within(tried, self._owner[faces])
            self._kept = max(0.05, float(outside.mean()))
            points = np.concatenate([points, tried[outside]])
            normals = np.concatenate([normals, self._mesh.face_normals[faces[outside]]])
        return points[:count], normals[:count]

    def _within(self, points: np.ndarray, owners: np.ndarray) -> np.ndarray:
        """(N,) whether each point is within a part that is not its own."""
        found = np.zeros(len(points), bool)
        for number, solid in enumerate(self._solids):
            near = np.flatnonzero(~found & (owners != number) & solid.near(points))
            if len(near):
                found[near] = solid.contains(points[near])
        return found


class _Solid:
    """What one part fills: its convex pieces, whose hulls are found when a point comes near them."""

    def __init__(self, part: Part) -> None:
        self._corners = [part.vertices[piece] for piece in part.pieces]
        self._boxes = np.stack([[one.min(axis=0), one.max(axis=0)] for one in self._corners])
        self._box = np.stack([self._boxes[:, 0].min(axis=0), self._boxes[:, 1].max(axis=0)])
        self._margin = 1e-6 * float(np.ptp(self._box, axis=0).max())
        self._planes: dict[int, np.ndarray] = {}

    def near(self, points: np.ndarray) -> np.ndarray:
        """(N,) whether each point is within the box around the part."""
        return _between(points, self._box)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """(N,) whether each point is within a piece, and not on its surface."""
        found = np.zeros(len(points), bool)
        for number, box in enumerate(self._boxes):
            near = np.flatnonzero(~found & _between(points, box))
            if len(near):
                if number not in self._planes:
                    self._planes[number] = ConvexHull(self._corners[number]).equations
                planes = self._planes[number]
                found[near] = (points[near] @ planes[:, :3].T + planes[:, 3] < -self._margin).all(axis=1)
        return found


def _between(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    return np.asarray(((points > box[0]) & (points < box[1])).all(axis=1))
