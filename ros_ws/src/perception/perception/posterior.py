"""From the solutions of the geometry to poses in a frame, and to marginal posteriors over a manifest's bins."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from perception import angles
from perception.bundle import Calibration, CircularBins, LinearBins
from perception.estimate import Mode, Posterior
from perception.geometry import Solution

Array = NDArray[np.float64]

# The variance factor where networks see well: under one, for what points claim allows for errors that they share.
_USUAL_FACTOR = 0.25
_YAW_TURNS = (-1, 0, 1)  # periods beside its own that a Gaussian over a circle reaches


def mode_in(T_base_frame: Array, solution: Solution, calibration: Calibration) -> Mode:
    """A solution as x_m, y_m, yaw_rad in a frame that is level or nearly so, its z axis up or down."""
    adjusted, rotation = solution.adjusted, T_base_frame[:3, :3]
    block = adjusted.block
    place = rotation.T @ (block.position - T_base_frame[:3, 3])
    axis = rotation.T @ block.rotation[:, 0]
    to_frame = np.zeros((3, 9))
    to_frame[:2, :3] = rotation.T[:2]
    to_frame[2, 3:6] = rotation.T[2]
    scale = np.sqrt([calibration.place, calibration.place, calibration.yaw])
    # Points that scatter more share more of an error, too, which no residual shows: hence the square of the factor.
    scale *= max(1.0, adjusted.variance_factor / _USUAL_FACTOR)
    covariance = to_frame @ adjusted.covariance @ to_frame.T * np.outer(scale, scale)
    yaw = float(angles.wrap(np.arctan2(axis[1], axis[0]), np.pi))
    return Mode(np.array([place[0], place[1], yaw]), covariance, solution.weight)


def marginal(bins: LinearBins, modes: Sequence[Mode], row: int) -> Posterior:
    """Of x (row 0) or y (row 1), over the bins; what lies beyond them counts for the outermost."""
    centres = bins.centres()
    edges = (centres[:-1] + centres[1:]) / 2
    mass = sum(mode.weight * _shares(edges, mode.mean[row], mode.covariance[row, row]) for mode in modes)
    return Posterior(centres, np.asarray(mass))


def yaw_marginal(bins: CircularBins, modes: Sequence[Mode]) -> Posterior:
    """Of the yaw, over the bins of a circle."""
    edges = np.arange(bins.count + 1) * bins.width
    mass = np.zeros(bins.count)
    for mode in modes:
        for turn in _YAW_TURNS:
            shifted = mode.mean[2] + turn * bins.period
            mass += mode.weight * np.diff(ndtr((edges - shifted) / np.sqrt(mode.covariance[2, 2])))
    return Posterior(bins.centres(), mass / mass.sum())


def marginal_of_cells(mass: Array, size_px: int, count: int) -> Posterior:
    """Over `count` bins of an image side of size_px, from the mass (C,) in evenly spaced cells of that side."""
    cumulated = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    edges = np.linspace(0.0, 1.0, count + 1)
    shares = np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(cumulated)), cumulated))
    return Posterior((edges[:-1] + edges[1:]) / 2 * size_px, shares)


def _shares(edges: Array, mean: float, variance: float) -> Array:
    return np.diff(np.concatenate([[0.0], ndtr((edges - mean) / np.sqrt(variance)), [1.0]]))
