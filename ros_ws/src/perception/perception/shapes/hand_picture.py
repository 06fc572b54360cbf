"""Hands at grasps of a shape, as one coloured mesh for `perception.shapes.picture`."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from perception.hand import Hand
from perception.shapes.picture import Coloured
from perception.shapes.shape import Points, Shape

OBJECT_RGB, HAND_RGB, BEST_RGB = (214, 206, 192), (92, 104, 128), (64, 160, 92)
_BOX_FACES = np.array(
    [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4),
     (1, 5, 7), (1, 7, 3)]
)  # fmt: skip


class Placed(Protocol):
    """A grasp: where the clamp is (4, 4), and how wide it has closed, m."""

    @property
    def T_object_clamp(self) -> np.ndarray:
        """(4, 4)."""
        ...

    @property
    def width_m(self) -> float:
        """Between the pads."""
        ...


def with_hands(shape: Shape, grasps: Sequence[Placed], hand: Hand, palm: bool = True) -> Coloured:
    """The shape with a closed hand, or its fingers alone, at each grasp; that of the first is green."""
    faces = np.zeros((0, 3), dtype=np.int64) if shape.faces is None else shape.faces
    points, triangles, colours = [shape.points], [faces], [np.tile(OBJECT_RGB, (len(shape.points), 1))]
    if shape.faces is None:
        points, triangles, colours = _balls(shape)
    count = len(points[0])
    fingers = 2 * len(hand.finger)
    for number, grasp in enumerate(grasps):
        boxes = hand.boxes(grasp.width_m)
        for low, high in boxes if palm else boxes[:fingers]:
            corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
            placed = corners @ grasp.T_object_clamp[:3, :3].T + grasp.T_object_clamp[:3, 3]
            points.append(placed[_BOX_FACES].reshape(-1, 3))  # corners of each face apart, so that edges stay sharp
            triangles.append(np.arange(3 * len(_BOX_FACES)).reshape(-1, 3) + count)
            colours.append(np.tile(BEST_RGB if number == 0 else HAND_RGB, (3 * len(_BOX_FACES), 1)))
            count += 3 * len(_BOX_FACES)
    return Coloured(Shape(np.concatenate(points), np.concatenate(triangles)), np.concatenate(colours))


def _balls(cloud: Shape) -> tuple[list[Points], list[np.ndarray], list[np.ndarray]]:
    """The points of a cloud as small octahedra, so that they can be drawn among boxes."""
    chosen = cloud.points[:: max(1, len(cloud.points) // 4000)]
    radius = 0.008 * float(np.ptp(cloud.points, axis=0).max())
    corners = radius * np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array([(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)])
    points = (chosen[:, None] + corners).reshape(-1, 3)
    triangles = (6 * np.arange(len(chosen))[:, None, None] + faces).reshape(-1, 3)
    return [points], [triangles], [np.tile(OBJECT_RGB, (len(points), 1))]
