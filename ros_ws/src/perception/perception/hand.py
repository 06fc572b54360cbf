"""A parallel-jaw hand as boxes: what of an object is where the hand wants to be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Box = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Lower and upper corner in the clamp frame, m."""

MOST_TESTS = 4_000_000  # of a point in the frame of a grasp at once


@dataclass(frozen=True)
class Hand:
    """Boxes of a hand in the clamp frame: between the finger tips, x the closing direction, z out of the hand.

    opening_m: between the finger tips, the most. finger: boxes of the finger on the side of +x where the hand is
    closed, the pad's first; the other one is its mirror image, and each moves out by half of the opening. palm: boxes
    of all that does not move with the fingers.
    """

    opening_m: float
    finger: tuple[Box, ...]
    palm: tuple[Box, ...]

    @property
    def depth_m(self) -> float:
        """How far the fingers reach beyond the clamp's origin."""
        return max(high[2] for _, high in self.finger)

    @property
    def pad(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner (2,) in y and z of what a finger presses with: its first box."""
        low, high = self.finger[0]
        return np.array(low[1:]), np.array(high[1:])

    def boxes(self, opening_m: ArrayLike) -> np.ndarray:
        """(..., B, 2, 3) lower and upper corners of all boxes at openings (...) in m."""
        half = np.asarray(opening_m, dtype=float)[..., None, None] / 2
        finger, palm = np.array(self.finger), np.array(self.palm)
        mirrored = finger[:, ::-1] * (-1, 1, 1)
        mirrored[:, :, 1:] = finger[:, :, 1:]
        out = np.array([1.0, 0.0, 0.0])
        right = finger + half[..., None] * out
        left = mirrored - half[..., None] * out
        fixed = np.broadcast_to(palm, (*half.shape[:-2], *palm.shape))
        return np.concatenate([right, left, fixed], axis=-3)

    def penetration(
        self, points: np.ndarray, T_object_clamp: np.ndarray, opening_m: ArrayLike, margin_m: float = 0.0
    ) -> np.ndarray:
        """Which of the points (N, 3) of an object are in the hand: (N,) bool for one pose (4, 4), (G, N) for (G, 4, 4).

        opening_m: one, or (G,). margin_m: by how much the boxes are larger than the hand, on all sides.
        """
        poses = np.asarray(T_object_clamp, dtype=float).reshape(-1, 4, 4)
        boxes = self.boxes(np.broadcast_to(opening_m, (len(poses),)))
        low, high = boxes[:, :, 0] - margin_m, boxes[:, :, 1] + margin_m
        found = np.zeros((len(poses), len(points)), dtype=bool)
        chunk = max(1, MOST_TESTS // max(1, len(points)))
        for first in range(0, len(poses), chunk):
            part = slice(first, first + chunk)
            turns, origins = poses[part, :3, :3], poses[part, :3, 3]
            local = points @ turns - np.einsum("gi,gij->gj", origins, turns)[:, None]
            for box in range(boxes.shape[1]):
                inside = np.ones(local.shape[:2], dtype=bool)
                for axis in range(3):  # comparing an axis at a time is several times as fast as all of them
                    along = local[:, :, axis]
                    inside &= (along > low[part, None, box, axis]) & (along < high[part, None, box, axis])
                found[part] |= inside
        return found[0] if np.ndim(T_object_clamp) == 2 else found

    def lowest(self, T_base_clamp: np.ndarray, opening_m: ArrayLike) -> np.ndarray:
        """Height (G,) of the hand's lowest corner along the z axis of the frame of poses (G, 4, 4), m."""
        boxes = self.boxes(np.broadcast_to(opening_m, (len(T_base_clamp),)))
        up = T_base_clamp[:, 2, :3]  # of the z coordinate along the clamp's axes
        lower = np.minimum(boxes[:, :, 0] * up[:, None], boxes[:, :, 1] * up[:, None]).sum(axis=-1)
        return lower.min(axis=1) + T_base_clamp[:, 2, 3]


def mirrored(T_object_clamp: np.ndarray) -> np.ndarray:
    """The same grasps (..., 4, 4) with the fingers' places exchanged."""
    return T_object_clamp * np.array([-1.0, -1.0, 1.0, 1.0])


def frames(closing: np.ndarray, approach: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """(G, 4, 4) clamp frames at origins (G, 3) of closing and approach directions (G, 3), unit and square."""
    x, z = closing, approach
    poses = np.tile(np.eye(4), (len(origins), 1, 1))
    poses[:, :3, 0], poses[:, :3, 1], poses[:, :3, 2] = x, np.cross(z, x), z
    poses[:, :3, 3] = origins
    return poses


# Franka Emika's hand, with its long fingers; as measured on its meshes.
PANDA = Hand(
    opening_m=0.08,
    finger=(
        ((0.0, -0.0090, -0.0106), (0.0146, 0.0090, 0.0074)),
        ((0.0015, -0.0106, -0.0466), (0.0264, 0.0106, -0.0106)),
    ),
    palm=(
        ((-0.1040, -0.0313, -0.1310), (0.1040, 0.0313, -0.0391)),
        ((-0.0540, -0.0440, -0.1600), (0.0880, 0.0440, -0.1050)),
    ),
)
