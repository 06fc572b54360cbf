"""Whether a hand has a free way to a grasp."""

import numpy as np
from numpy.typing import NDArray

from perception.hand import Hand

MARGIN_M = 0.001
WAY_M = (0.0, 0.015, 0.03, 0.05, 0.075, 0.10)
"""Before the grasp, where the hand must be free too."""


def unobstructed(
    points: NDArray[np.floating], T_object_clamp: np.ndarray, opening_m: np.ndarray, hand: Hand,
    floor_m: float = -np.inf,
) -> NDArray[np.bool_]:
    """(G,) whether a hand comes straight in to each grasp (G, 4, 4) without meeting points (N, 3) of the object or
    getting below the height floor_m."""
    free = hand.lowest(T_object_clamp, opening_m) > floor_m
    for back_m in WAY_M:
        left = np.flatnonzero(free)
        poses = T_object_clamp[left].copy()
        poses[:, :3, 3] -= back_m * poses[:, :3, 2]
        free[left] = ~hand.penetration(points, poses, opening_m[left], MARGIN_M).any(axis=1)
    return np.asarray(free, dtype=bool)
