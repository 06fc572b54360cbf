"""Profiles (D, 2) of (radius, height), from the base up, and curves through a few control values."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

DENSE = 400


def through(values: ArrayLike, shares: np.ndarray) -> np.ndarray:
    """A smooth curve through values evenly apart over [0, 1], taken at `shares`."""
    controls = np.asarray(values, dtype=float)
    return CubicSpline(np.linspace(0, 1, len(controls)), controls, bc_type="natural")(shares)


def resampled(curve: np.ndarray, count: int) -> np.ndarray:
    """(count, D) points evenly apart along a polyline (N, D), ends included."""
    length = lengths(curve)
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, column) for column in curve.T], axis=-1)


def lengths(curve: np.ndarray) -> np.ndarray:
    """(N,) length of a polyline (N, D) from its first point to each."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])


def rounded_foot(profile: np.ndarray, edge_m: float) -> np.ndarray:
    """The profile with its radius drawn in near the base, as by a quarter of a circle of radius edge_m."""
    below = np.clip(1 - profile[:, 1] / edge_m, 0, 1)
    rounded = profile.copy()
    rounded[:, 0] -= edge_m * (1 - np.sqrt(1 - below**2))
    return rounded


def offset(profile: np.ndarray, distance_m: float) -> np.ndarray:
    """The profile moved to its inner side, towards the axis, at right angles to itself."""
    tangents = np.gradient(profile, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    return profile + distance_m * np.stack([-tangents[:, 1], tangents[:, 0]], axis=-1)


def radius_at(profile: np.ndarray, height_m: np.ndarray | list[float] | float) -> np.ndarray:
    """Radius of a profile, whose heights rise, at some heights; beyond its ends that of the end."""
    return np.interp(np.asarray(height_m, float), profile[:, 1], profile[:, 0])
