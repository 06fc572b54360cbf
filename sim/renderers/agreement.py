"""How far two renderers' frames of the same shot agree: masks, depths, and the places of things."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sim.renderers import Frame
from sim.scene import NOTHING

LEAST_PX = 50  # of what is compared
SILHOUETTE_M = 0.02


@dataclass(frozen=True, eq=False)
class Agreement:
    """Of each label that `one` shows on more than LEAST_PX: the overlap (intersection over union) of its masks and
    the distance of their centres (px). depth_m (P,): absolute differences wherever both frames show a surface and no
    silhouette; `compared` is the share of such pixels."""

    labels: tuple[int, ...]
    overlaps: np.ndarray
    shifts_px: np.ndarray
    depth_m: np.ndarray
    compared: float


def agreement(one: Frame, other: Frame) -> Agreement:
    """Compare two frames of the same size. Depth is not compared where silhouettes are: there one sample falls on what
    is before, and the other one on what is behind."""
    shown, counts = np.unique(one.segmentation, return_counts=True)
    labels = [int(label) for label in shown[counts > LEAST_PX] if label != NOTHING]
    masks = [(one.segmentation == label, other.segmentation == label) for label in labels]
    both = smooth(one) & smooth(other)
    return Agreement(
        tuple(labels),
        np.array([overlap(*pair) for pair in masks]),
        np.array([float(np.linalg.norm(_centre(first) - _centre(second))) for first, second in masks]),
        np.abs(one.depth[both] - other.depth[both]),
        float(both.mean()),
    )


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def smooth(frame: Frame) -> np.ndarray:
    """(H, W) bool: where there is a surface and no silhouette, which is a pixel with another label beside it, or with
    a neighbour more than SILHOUETTE_M nearer or farther than it is."""
    depth = np.where(np.isfinite(frame.depth), frame.depth, 1e3)
    steps = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    labels = ndimage.maximum_filter(frame.segmentation, 3) == ndimage.minimum_filter(frame.segmentation, 3)
    return np.asarray(labels & (steps < SILHOUETTE_M) & (frame.segmentation != NOTHING))


def _centre(mask: np.ndarray) -> np.ndarray:
    """(2,) px; infinite where the mask is empty."""
    return np.mean(np.nonzero(mask), axis=1) if mask.any() else np.full(2, np.inf)
