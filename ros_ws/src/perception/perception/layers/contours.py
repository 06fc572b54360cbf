"""Borders of masks as closed polygons or curves: level sets, found on a grid and moved onto the mask itself."""

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.layers.curves import Piece, fitted
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
    found = []
    for polygon in _traced(network, parameters, width, height, level):
        kept = cv2.approxPolyDP(polygon.astype(np.float32)[:, None], tolerance, True)[:, 0].astype(float)
        if _is_seen(kept, tolerance):
            found.append(kept)
    return found


def curved_contours(
    network: LayersNetwork, parameters: Floats, width: float, height: float, level: float, tolerance: float
) -> list[list[Piece]]:
    """The same as closed paths of Bezier curves and lines, px. tolerance: how far, px, they may be off."""
    traced = _traced(network, parameters, width, height, level)
    return [found for one in traced if _is_seen(one, tolerance) and (found := fitted(one, tolerance))]


def _traced(
    network: LayersNetwork, parameters: Floats, width: float, height: float, level: float
) -> list[Polygon]:
    """Polygons (K, 2), px, with a point for each cell of the finer grid."""
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
        found.append(polygon)
    return found


def _is_seen(polygon: Polygon, tolerance: float) -> bool:
    return len(polygon) >= 3 and cv2.contourArea(polygon.astype(np.float32)) > tolerance**2


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
