"""Whether a hand has a free way to a grasp."""

import numpy as np
from numpy.typing import NDArray

from perception.hand import Hand

MARGIN_M = 0.002
CLEARANCE_M = 0.002
"""Between the hand and what the object stands on."""
WAY_M = (0.0, 0.015, 0.03, 0.05, 0.075, 0.10)
"""Before the grasp, where the hand must be free too."""


def unobstructed(
    points: NDArray[np.floating], T_object_clamp: np.ndarray, opening_m: np.ndarray, hand: Hand,
    T_table_object: np.ndarray | None,
) -> NDArray[np.bool_]:
    """(G,) whether a hand comes straight in to each grasp (G, 4, 4) without meeting points (N, 3) of the object or what
    it stands on.

    T_table_object (4, 4): how the object stands on the plane z = 0 of its table; None where there is no table.
    """  # fmt: skip
    free = clear_of_table(T_object_clamp, opening_m, hand, T_table_object)
    for back_m in WAY_M:
        left = np.flatnonzero(free)
        poses = T_object_clamp[left].copy()
        poses[:, :3, 3] -= back_m * poses[:, :3, 2]
        free[left] = ~hand.penetration(points, poses, opening_m[left], MARGIN_M).any(axis=1)
    return free


def clear_of_table(
    T_object_clamp: np.ndarray, opening_m: np.ndarray, hand: Hand, T_table_object: np.ndarray | None
) -> NDArray[np.bool_]:
    """(G,) whether a hand at each grasp (G, 4, 4) keeps clear of the table."""
    if T_table_object is None:
        return np.ones(len(T_object_clamp), dtype=bool)
    return np.asarray(hand.lowest(T_table_object @ T_object_clamp, opening_m) > CLEARANCE_M)
