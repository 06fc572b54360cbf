"""Masks as vectors to compare them by: their parameters, or their shape wherever it is and whatever its size.

A shape is moved to its centroid and scaled to unit area, and sampled around that on circles. Each sample is weighted
by the root of the area that it stands for, so that the squared distance of two descriptors is the area in which the
shapes differ. Samples of an angle are next to each other: to turn a shape is to roll its descriptor.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.layers.compositing import sigmoid
from perception.layers.grid import Floats, axis
from perception.layers.network import LayersNetwork

By = Literal["parameters", "shape", "turned"]
CIRCLES, ANGLES = 16, 64
_REACH = 3.0
"""How far samples go, in radii of a disc of the same area: a bar ten times as long as wide reaches 2.8."""
SMALL_PX = 48
"""Longest side of a mask that is looked at for where it is."""
_FINER = 4
"""Parts of such a mask's pixel, to which its border is known."""
LEAST_AREA = 0.001
"""Of the picture: a smaller mask has no shape."""


def small_masks(network: LayersNetwork, parameters: Floats, width: int, height: int) -> Floats:
    """(T, h, w) in [0, 1]: masks of a picture of width x height px, its longer side SMALL_PX."""
    share = SMALL_PX / max(width, height)
    columns, rows = max(1, round(width * share)), max(1, round(height * share))
    points = np.stack(np.broadcast_arrays(axis(columns)[None], axis(rows)[:, None]), axis=2).reshape(-1, 2)
    return sigmoid(network.logits(points, parameters)).reshape(-1, rows, columns)


def shapes(network: LayersNetwork, parameters: Floats, small: Floats, width: int, height: int) -> Floats:
    """(T, CIRCLES, ANGLES) of masks that are seen `small`; zeros for those without a shape."""
    found = np.zeros((len(small), CIRCLES, ANGLES), np.float32)
    for number, mask in enumerate(small):
        inside = cv2.resize(mask, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_LINEAR) > 0.5
        if inside.mean() < LEAST_AREA:
            continue
        at, area = _samples(inside, width, height)
        within = (np.abs(at) <= 1).all(axis=-1)
        values = sigmoid(network.logits(at[within].astype(np.float32), parameters[number][None]))[0]
        found[number][within] = values
        found[number] *= np.sqrt(area)[:, None]
    return found


def distances(query: Floats, others: Floats, by: By) -> Floats:
    """(N,) of a vector (D,) or descriptor (CIRCLES, ANGLES) to N others: l2; for `turned` the least in any
    orientation of the query."""
    if by != "turned":
        return np.linalg.norm((others - query).reshape(len(others), -1), axis=1)
    # |a - b|^2 = |a|^2 + |b|^2 - 2 ab, of which the last is a correlation along the angle.
    spectrum = np.conj(np.fft.rfft(query, axis=1)) * np.fft.rfft(others, axis=2)
    alike = np.fft.irfft(spectrum.sum(axis=1), n=ANGLES, axis=1).max(axis=1)
    squared = (query**2).sum() + (others**2).sum(axis=(1, 2)) - 2 * alike
    return np.asarray(np.sqrt(np.maximum(0, squared)), np.float32)


def _samples(inside: NDArray[np.bool_], width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (CIRCLES, ANGLES, 2) around a shape as masks take them, and the area, in shapes, that one of each circle
    stands for."""
    rows, columns = inside.shape
    y, x = np.nonzero(inside)
    unit = np.array([width, height])
    centre = np.array([(x.mean() + 0.5) / columns, (y.mean() + 0.5) / rows]) * unit
    radius = np.sqrt(inside.mean() * width * height / np.pi)
    edges = _REACH * np.arange(CIRCLES + 1) / CIRCLES
    angles = 2 * np.pi * np.arange(ANGLES) / ANGLES
    circles = (edges[:-1] + edges[1:]) / 2
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    at = centre + radius * circles[:, None, None] * around
    return 2 * at / unit - 1, np.diff(edges**2) / ANGLES
