"""Reading heat maps: peaks between pixels with covariance and confidence, and the log-score of given places.

A network's heat map (h, w) holds the log-probability of each of its pixels. `density` turns it into
probabilities on a grid of cells at least FINEST wide: a coarser map is enlarged in the log domain by
Catmull-Rom interpolation, which keeps a Gaussian what it is however narrow, where an expectation over coarse
pixels would be drawn to their centres. Places are in cells of the density: cell (i, j) spans [j, j + 1) x [i,
i + 1), x first.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Map = NDArray[np.float32]

FINEST = 128  # cells across a density, or more where the network gives more
WINDOW = 1 / 16  # half-width of the window around a mode that counts for its place, in widths of the map
SCORE_FLOOR = 0.05  # probability that a heat map says nothing about its point
SMALLEST_VARIANCE = 0.3**2  # cells^2: no network places a point better than this
_DEEPEST_NATS = 15.0  # log-probabilities farther below the highest are cut off: cliffs would ring
_PAIR_STEPS = 10


@dataclass(frozen=True)
class Peak:
    """A point found in a heat map: place (2,) in cells, covariance (2, 2) in cells^2, confidence in [0, 1].

    Confidence is the probability mass near the place: 0.9 for a clear peak, 0.03 for a flat map of 48 x 36
    cells.
    """

    place: Array
    covariance: Array
    confidence: float


def density(log_heatmaps: Map) -> Map:
    """Probabilities (..., k h, k w) of the cells of heat maps (..., h, w), each summing to 1; k is such that
    k w >= FINEST."""
    log_maps = np.asarray(log_heatmaps, dtype=np.float32)
    height, width = log_maps.shape[-2:]
    log_maps = np.maximum(log_maps - log_maps.max(axis=(-2, -1), keepdims=True), -_DEEPEST_NATS)
    factor = -(-FINEST // width)
    if factor > 1:
        log_maps = log_maps @ np.ascontiguousarray(_enlargement(width, factor).T)
        log_maps = _enlargement(height, factor) @ log_maps
    values = np.exp(log_maps)
    return np.asarray(values / values.sum(axis=(-2, -1), keepdims=True), dtype=np.float32)


def decode(values: Map) -> Peak:
    """The highest mode of a density, by the expectation in a window around it."""
    row, column = (int(i) for i in np.unravel_index(int(np.argmax(values)), values.shape))
    mass, places = _part(values, column, row, round(WINDOW * values.shape[1]))
    return _peak(mass, places, float(mass.sum()))


def decode_pair(values: Map, predicted: Array) -> tuple[Peak, Peak]:
    """The two modes of a density that shows two points, told apart by where they are predicted.

    predicted: (2, 2) places in cells, one row per point. The modes are those of two Gaussians of equal weight
    and width fitted by expectation-maximization from the prediction, moved first as a whole onto the mass
    around it. Two points closer than a peak is wide both get the covariance of the whole blob, so that they
    weigh little.
    """
    middle = predicted.mean(axis=0)
    window = WINDOW * values.shape[1]
    reach = window + float(np.linalg.norm(predicted[0] - middle))
    limit = max(values.shape)
    column, row = (int(i) for i in np.clip(np.floor(middle), -limit, 2 * limit))
    mass, places = _part(values, column, row, min(int(reach) + 1, limit))
    total = float(mass.sum())
    if total <= 1e-6:
        lost = Peak(middle, np.eye(2) * float(values.size), 0.0)
        return lost, lost
    means = predicted + (mass @ places / total - middle)
    variance = (window / 3.0) ** 2
    for _ in range(_PAIR_STEPS):
        squared = np.sum((places[:, None] - means) ** 2, axis=-1)  # (cells, 2)
        log_odds = np.clip((squared[:, 1] - squared[:, 0]) / (2.0 * variance), -50.0, 50.0)
        first = 1.0 / (1.0 + np.exp(-log_odds))
        shares = np.stack([first, 1.0 - first], axis=-1) * mass[:, None]
        means = (shares.T @ places) / np.maximum(shares.sum(axis=0), 1e-9)[:, None]
        variance = max(float(np.sum(shares * squared)) / (2.0 * total), SMALLEST_VARIANCE)
    peaks = [_peak(share, places, min(2.0 * float(share.sum()), 1.0)) for share in shares.T]
    return peaks[0], peaks[1]


def log_scores(values: Map, places: Array) -> Map:
    """log((1 - e) p + e / cells) at places (H, W, 2) in cells, p read bilinearly from a density.

    e is SCORE_FLOOR: a place that the map excludes, or that lies outside of it or behind the camera (NaN),
    costs a bounded amount, so that one misled view cannot veto the others.
    """
    index = np.where(np.isfinite(places), places - 0.5, -10.0)
    index = np.clip(index, -10.0, 30_000.0).astype(np.float32)  # what cv2 can address
    floor = SCORE_FLOOR / values.size
    scores = np.log((1.0 - SCORE_FLOOR) * values + floor)
    read = cv2.remap(
        scores,
        index,
        np.empty(0, dtype=np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(np.log(floor)),
    )
    return np.asarray(read, dtype=np.float32)


def blur(values: Map, sigma_cells: Array) -> Map:
    """The density smeared by a Gaussian of sigma_cells (2,) in x and y, as an uncertain camera smears it."""
    sigma = np.clip(sigma_cells, 1e-3, 0.25 * min(values.shape))
    blurred = cv2.GaussianBlur(
        values, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(blurred, dtype=np.float32)


@cache
def _enlargement(count: int, factor: int) -> Map:
    """(factor count, count) Catmull-Rom weights (Keys, 1981, a = -1/2) that enlarge; the ends are
    repeated."""
    matrix = np.zeros((factor * count, count))
    for cell in range(factor * count):
        place = (cell + 0.5) / factor - 0.5
        start = int(np.floor(place))
        t = place - start
        weights = (
            -0.5 * t + t**2 - 0.5 * t**3,
            1.0 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2.0 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        )
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
            matrix[cell, min(max(start + offset, 0), count - 1)] += weight
    return matrix.astype(np.float32)


def _part(values: Map, column: int, row: int, reach: int) -> tuple[Array, Array]:
    """Mass (N,) and places (N, 2) of the cells at most `reach` from one of them, those inside the map."""
    top, left = max(row - reach, 0), max(column - reach, 0)
    part = values[top : max(row + reach + 1, 0), left : max(column + reach + 1, 0)]
    y, x = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
    return part.ravel().astype(np.float64), np.stack([x.ravel(), y.ravel()], axis=-1) + 0.5


def _peak(mass: Array, places: Array, confidence: float) -> Peak:
    share = mass / max(float(mass.sum()), 1e-12)
    place = share @ places
    offset = places - place
    covariance = (offset * share[:, None]).T @ offset + SMALLEST_VARIANCE * np.eye(2)
    return Peak(place, covariance, confidence)
