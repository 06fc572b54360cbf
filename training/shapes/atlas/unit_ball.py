"""The size and place in which shapes are compared: the unit ball around the middle of their bounding box."""

import numpy as np


def in_unit_ball(points: np.ndarray) -> np.ndarray:
    """(N, 3) points, the middle of their bounding box moved to the origin, the farthest of them at a distance of 1."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    moved = points - middle
    return moved / np.linalg.norm(moved, axis=1).max()
