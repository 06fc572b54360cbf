"""Borders of masks as closed polygons: level sets, found on a grid and moved onto the mask itself."""

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.layers.grid import Floats, axis
from perception.layers.network import LayersNetwork

_GRID, _FINER = 160, 4
"""Points along the longer side at which a mask is evaluated, and how many times finer contours are traced."""
_CORRECTIONS, _STEP = 2, 1e-3
_FARTHEST = 1.0  # cells of the finer grid, by which a correction moves a point
Polygon = NDArray[np.float64]


def contours(
    network: LayersNetwork, parameters: Floats, width: float, height: float, level: float, tolerance: float
) -> list[Polygon]:
    """Polygons (K, 2), px of a picture of width x height, whose inside by the even-odd rule is where the mask of these
    parameters (P,) is above a level in (0, 1). tolerance: how far, px, points that are left out may be off."""
    threshold = float(np.log(level / (1 - level)))
    share = _GRID / max(width, height)
    columns, rows = max(8, round(width * share)), max(8, round(height * share))
    points = np.stack(np.broadcast_arrays(axis(columns)[None], axis(rows)[:, None]), axis=2).reshape(-1, 2)
    coarse = network.logits(points, parameters[None]).reshape(rows, columns) - threshold
    fine = cv2.resize(coarse, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_CUBIC)
    binary = cv2.copyMakeBorder((fine > 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    traced, _ = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cells = np.array([fine.shape[1], fine.shape[0]])
    found = []
    for one in traced:
        if len(one) < 3:
            continue
        # Traced points are centres of the grid's outermost points inside, and those around a hole of points outside.
        places = 2 * (one[:, 0].astype(float) - 1 + 0.5) / cells - 1
        touching = np.abs(places) > 1 - 1.01 / cells
        moved = _on_level(network, parameters, places, threshold, _FARTHEST * 2 / cells)
        moved = np.where(touching, np.sign(places), moved)
        polygon = (np.clip(moved, -1, 1) + 1) / 2 * (width, height)
        kept = cv2.approxPolyDP(polygon.astype(np.float32)[:, None], tolerance, True)[:, 0].astype(float)
        if len(kept) >= 3 and cv2.contourArea(kept.astype(np.float32)) > tolerance**2:
            found.append(kept)
    return found


def _on_level(
    network: LayersNetwork, parameters: Floats, places: Polygon, threshold: float, farthest: NDArray[np.float64]
) -> Polygon:
    """Points (K, 2) moved along the logit's slope to where it is the threshold, by Newton's steps."""
    start, current = places, places
    for _ in range(_CORRECTIONS):
        aside = np.array([[[0, 0]], [[_STEP, 0]], [[0, _STEP]]])
        tried = (current + aside).reshape(-1, 2).astype(np.float32)
        value, right, below = network.logits(tried, parameters[None])[0].astype(float).reshape(3, -1)
        slope = np.stack([right - value, below - value], axis=1) / _STEP
        step = (value - threshold)[:, None] * slope / np.maximum((slope**2).sum(axis=1, keepdims=True), 1e-9)
        current = start + np.clip(current - step - start, -farthest, farthest)
    return current
