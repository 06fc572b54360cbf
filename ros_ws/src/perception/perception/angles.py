"""Arithmetic of angles that are known modulo a period, such as the yaw of a block (period pi)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def wrap(angle_rad: ArrayLike, period_rad: float) -> Array:
    """The same angles in [0, period)."""
    wrapped = np.mod(np.asarray(angle_rad, dtype=np.float64), period_rad)
    return np.where(wrapped >= period_rad, 0.0, wrapped)  # np.mod of -1e-20 rounds up to the period


def difference(a_rad: ArrayLike, b_rad: ArrayLike, period_rad: float) -> Array:
    """The shortest a - b modulo the period, in [-period/2, period/2)."""
    delta = np.asarray(a_rad, dtype=np.float64) - np.asarray(b_rad, dtype=np.float64)
    return wrap(delta + period_rad / 2, period_rad) - period_rad / 2


def mean(angles_rad: ArrayLike, period_rad: float, weights: ArrayLike | None = None) -> float:
    """Circular mean, in [0, period): the direction of the sum of unit vectors at angle * 2 pi / period.

    Raises ValueError where the vectors cancel, as for two angles half a period apart.
    """
    angles = np.asarray(angles_rad, dtype=np.float64)
    weight = np.ones_like(angles) if weights is None else np.asarray(weights, dtype=np.float64)
    vector = np.sum(weight * np.exp(2j * np.pi / period_rad * angles)) / np.sum(weight)
    if abs(vector) < 1e-9:
        raise ValueError(f"the angles {angles} have no mean modulo {period_rad}: they cancel")
    return float(wrap(np.angle(vector) * period_rad / (2 * np.pi), period_rad))


def expectation(
    centres_rad: Array, probabilities: Array, period_rad: float, half_width_rad: float
) -> tuple[float, float]:
    """Mean and variance of a posterior over bins of the period, in a window around its mode.

    centres_rad, probabilities: (N,). Bins farther than half_width_rad from the mode (modulo the period) do
    not count, so that a second mode elsewhere does not pull the estimate. Returns mean in [0, period),
    variance rad^2.
    """
    mode = float(centres_rad[np.argmax(probabilities)])
    offset = difference(centres_rad, mode, period_rad)
    weight = np.where(np.abs(offset) <= half_width_rad, probabilities, 0.0)
    weight = weight / weight.sum()
    shift = float(np.sum(weight * offset))
    variance = float(np.sum(weight * (offset - shift) ** 2))
    return float(wrap(mode + shift, period_rad)), variance
