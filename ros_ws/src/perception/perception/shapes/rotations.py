"""Rotations spread evenly over all that there are."""

import numpy as np
from scipy.spatial.transform import Rotation

from perception.shapes.shape import Points

# Solutions of the equations that make both spirals uniform; Alexa, section 4.
_PHI = np.sqrt(2.0)
_PSI = 1.533751168755204288118041413


def even_rotations(count: int) -> Points:
    """(count, 3, 3) rotation matrices, spread as evenly as a spiral on the 3-sphere can be: Alexa, "Super-Fibonacci
    spirals", CVPR 2022."""
    along = np.arange(count) + 0.5
    radius, rest = np.sqrt(along / count), np.sqrt(1 - along / count)
    alpha, beta = 2 * np.pi * along / _PHI, 2 * np.pi * along / _PSI
    quaternions = np.stack(
        [radius * np.sin(alpha), radius * np.cos(alpha), rest * np.sin(beta), rest * np.cos(beta)], axis=1
    )
    return np.asarray(Rotation.from_quat(quaternions).as_matrix(), dtype=np.float64)


def upright_rotations(count: int) -> Points:
    """(count, 3, 3) rotation matrices about the z axis, evenly apart."""
    turns = np.outer(np.arange(count) * 2 * np.pi / count, (0.0, 0.0, 1.0))
    return np.asarray(Rotation.from_rotvec(turns).as_matrix(), dtype=np.float64)


def angle_between(first: Points, second: Points) -> Points:
    """(...) rad by which rotations (..., 3, 3) differ."""
    trace = np.einsum("...ij,...ij->...", first, second)
    return np.asarray(np.arccos(np.clip((trace - 1) / 2, -1, 1)), dtype=np.float64)
