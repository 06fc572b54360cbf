"""Reading heat maps: points between cells with covariance and confidence, and the log-score of given places.

A network's map (h, w) holds the probability of each of its cells; what is missing from one in its sum is the
probability that the point is not in the image. Networks learn the distribution of a point smeared by a Gaussian of
`sigma` cells, so that much variance is taken off again. Places are in cells: cell (i, j) spans [j, j + 1) x
[i, i + 1), x first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Map = NDArray[np.float32]

REACH = 4.0  # half-width of the window around a mode that counts for its place, in sigmas of the targets
SCORE_FLOOR = 0.05  # probability that a map says nothing about its point
_PAIR_STEPS = 8
_PAIR_HOLD = 0.05  # share of the mass around two points by which the prediction holds each
_CELLS = 240  # of a map that may hold two points: two Gaussians of three cells, to three deviations
_VOID = 1e-6  # mass that is none


@dataclass(frozen=True)
class Peaks:
    """N points found in maps: places (N, 2) in cells, covariances (N, 2, 2) in cells^2 without the targets' own width,
    and the probabilities (N,) in [0, 1] that they are near there."""

    places: Array
    covariances: Array
    confidences: Array

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of them, in order."""
        return cls(*(np.concatenate([getattr(one, each.name) for one in parts]) for each in fields(cls)))

    def split(self, count: int) -> list[Self]:
        """As `count` equal parts, in order."""
        parts = zip(*(np.split(getattr(self, each.name), count) for each in fields(self)), strict=True)
        return [type(self)(*part) for part in parts]


def decode(maps: Map, sigma: float, near: Array | None = None, gate: float = 0.0) -> Peaks:
    """The highest modes of maps (N, h, w), at most `gate` cells from places `near` (N, 2) where these are given."""
    count, height, width = maps.shape
    searched = maps
    if near is not None:
        x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
        outside_x, outside_y = np.abs(x - near[:, :1]) > gate, np.abs(y - near[:, 1:]) > gate
        searched = np.where(outside_x[:, None, :] | outside_y[:, :, None], np.float32(0), maps)
    mode = searched.reshape(count, -1).argmax(axis=1)
    corner = np.stack([mode % width, mode // width], axis=-1)
    mass, places = _windows(maps, corner, round(REACH * sigma))
    found = _peaks(mass, places, sigma)
    lost = searched.reshape(count, -1)[np.arange(count), mode] <= 0
    return replace(found, confidences=np.where(lost, 0.0, found.confidences))


def decode_pairs(maps: Map, predicted: Array, sigma: float, gate: float = 0.0) -> Peaks:
    """The two modes of each map (N, h, w) that shows two points, told apart by where they are predicted; (2 N) peaks,
    those of a map one after the other.

    predicted: (N, 2, 2) places in cells, one row per point, off by about `gate` cells at most, mostly as a whole. The
    modes are those of two Gaussians of equal weight and width, fitted by expectation-maximization from the prediction
    as it is, and from where it lies centred on the mass around it; of the two fits the one counts that keeps the points
    apart as predicted, so that a point that is not there is not taken for half of the other.
    """
    count = len(maps)
    middle = predicted.mean(axis=1)
    apart = np.linalg.norm(predicted[:, 0] - middle, axis=-1)
    limit = max(maps.shape[1:])
    reach = min(int(REACH * sigma + gate + apart.max(initial=0.0)) + 1, limit)
    mass, places = _windows(maps, np.clip(np.floor(middle), -2 * limit, 2 * limit).astype(int), reach, _CELLS)
    # What is far from both points belongs to something else.
    first, second = (np.sum((places - predicted[:, i, None]) ** 2, axis=-1) for i in (0, 1))
    mass = mass * (np.minimum(first, second) < (REACH * sigma + gate) ** 2)
    total = np.maximum(mass.sum(axis=1), _VOID)
    centred = (mass[:, None] @ places)[:, 0] / total[:, None] - middle
    starts = np.concatenate([predicted, predicted + centred[:, None]])
    means, split = _two_gaussians(np.tile(mass, (2, 1)), np.tile(places, (2, 1, 1)), starts, sigma)
    strain = np.linalg.norm(np.diff(means - np.tile(predicted, (2, 1, 1)), axis=1)[:, 0], axis=-1)
    as_is = strain[:count] <= strain[count:]
    shares = np.where(as_is[:, None, None], split[:count], split[count:])
    found = _peaks(shares.reshape(2 * count, -1), np.repeat(places, 2, axis=0), sigma)
    return replace(found, confidences=np.minimum(2.0 * found.confidences, 1.0))


def _two_gaussians(mass: Array, places: Array, start: Array, sigma: float) -> tuple[Array, Array]:
    """Means (N, 2, 2) of two Gaussians fitted to masses (N, M) at places (N, M, 2), and of each mass what belongs to
    either (N, 2, M). A little mass holds each at its start (N, 2, 2), where one without any stays."""
    total = np.maximum(mass.sum(axis=1), _VOID)
    held = (_PAIR_HOLD * total)[:, None, None]
    centre = start.mean(axis=1, keepdims=True)
    offsets, start = places - centre, start - centre
    moment = (mass[:, None] @ np.sum(offsets**2, axis=-1)[..., None])[:, 0, 0]
    means, variance = start, np.full(len(mass), (2.0 * sigma) ** 2)
    for _ in range(_PAIR_STEPS):
        squares = np.sum(means**2, axis=-1)  # (N, 2)
        along = (offsets @ (means[:, 0] - means[:, 1])[..., None])[..., 0]
        log_odds = (along + (squares[:, 1:] - squares[:, :1]) / 2.0) / variance[:, None]
        first = mass / (1.0 + np.exp(-np.clip(log_odds, -50.0, 50.0)))
        shares = np.stack([first, mass - first], axis=1)
        own, sums = shares.sum(axis=-1), shares @ offsets
        spread = moment - 2.0 * np.sum(sums * means, axis=(1, 2)) + np.sum(own * squares, axis=-1)
        variance = np.maximum(spread / (2.0 * total), sigma**2)
        means = (sums + held * start) / (own[..., None] + held)
    return means + centre, shares


def modes(values: Map, count: int, apart: float) -> Array:
    """Places (M, 2) in cells of the highest modes, at most `count`, highest first, more than `apart` cells apart along
    x or y."""
    side = 2 * int(apart) + 1
    highest = cv2.dilate(values, np.ones((side, side), np.uint8))
    rows, columns = np.nonzero(values >= highest)
    order = np.argsort(values[rows, columns])[::-1]
    left = np.stack([columns[order], rows[order]], axis=-1) + 0.5
    chosen: list[Array] = []
    while len(left) and len(chosen) < count:
        chosen.append(left[0])
        left = left[np.abs(left - left[0]).max(axis=-1) > apart]  # cells of one height are one mode
    return np.array(chosen)


def log_scores(values: Map, places: Array) -> Array:
    """log((1 - e) p + e / cells) at places (..., 2) in cells of maps (h, w) or (..., h, w), p read bilinearly.

    e is SCORE_FLOOR: a place that the map excludes, or that lies outside of it or behind the camera (NaN),
    costs a bounded amount, so that one misled view cannot veto the others.
    """
    height, width = values.shape[-2:]
    index = np.where(np.isfinite(places), places - 0.5, -10.0)
    (left, right, of_left, of_right), (top, bottom, of_top, of_bottom) = (
        _neighbours(index[..., axis], size) for axis, size in enumerate((width, height))
    )
    maps = values.shape[:-2]
    number = np.arange(np.prod(maps, dtype=int)).reshape((*maps, *(1,) * (left.ndim - len(maps))))
    flat, upper, lower = values.ravel(), (number * height + top) * width, (number * height + bottom) * width
    total = of_top * (of_left * flat[upper + left] + of_right * flat[upper + right])
    total += of_bottom * (of_left * flat[lower + left] + of_right * flat[lower + right])
    return np.asarray(np.log((1.0 - SCORE_FLOOR) * total + SCORE_FLOOR / (height * width)))


def _neighbours(index: Array, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array]:
    """The cells before and after places along an axis of `size` cells, and the share of each; none of those outside."""
    low = np.floor(np.clip(index, -2.0, size + 1.0))
    part = index - low
    before = np.where((low >= 0) & (low < size), 1.0 - part, 0.0)
    after = np.where((low >= -1) & (low < size - 1), part, 0.0)
    cell, following = (np.clip(one, 0, size - 1).astype(np.intp) for one in (low, low + 1))
    return cell, following, before, after


def blur(values: Map, sigma_cells: Array) -> Map:
    """The map smeared by a Gaussian of sigma_cells (2,) in x and y, as an uncertain camera smears it."""
    sigma = np.clip(sigma_cells, 1e-3, 0.25 * min(values.shape))
    blurred = cv2.GaussianBlur(
        values, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(blurred, dtype=np.float32)


def _windows(maps: Map, corner: Array, reach: int, most: int | None = None) -> tuple[Array, Array]:
    """Mass (N, M) and places (N, M, 2) of the cells at most `reach` from cells (N, 2), x first; none outside maps.

    Of more than `most` cells those of the most mass: what the others hold is next to nothing.
    """
    _, height, width = maps.shape
    offsets = np.arange(-reach, reach + 1)
    columns, rows = corner[:, :1] + offsets, corner[:, 1:] + offsets
    inside_x, inside_y = (columns >= 0) & (columns < width), (rows >= 0) & (rows < height)
    part = maps[
        np.arange(len(maps))[:, None, None],
        np.clip(rows, 0, height - 1)[:, :, None],
        np.clip(columns, 0, width - 1)[:, None, :],
    ]
    part *= inside_y[:, :, None] & inside_x[:, None, :]
    mass = part.reshape(len(maps), -1)
    if most is None or mass.shape[1] <= most:
        x = np.broadcast_to(columns[:, None, :], part.shape).reshape(mass.shape)
        y = np.broadcast_to(rows[:, :, None], part.shape).reshape(mass.shape)
    else:
        chosen = np.argpartition(mass, -most, axis=1)[:, -most:]
        mass = np.take_along_axis(mass, chosen, axis=1)
        y, x = np.divmod(chosen, len(offsets))
        x, y = np.take_along_axis(columns, x, axis=1), np.take_along_axis(rows, y, axis=1)
    return mass.astype(np.float64), np.stack([x, y], axis=-1) + 0.5


def _peaks(mass: Array, places: Array, sigma: float) -> Peaks:
    total = mass.sum(axis=1)
    share = mass / np.maximum(total, 1e-12)[:, None]
    place = (share[:, None] @ places)[:, 0]
    offset = places - place[:, None]
    spread = (offset * share[..., None]).transpose(0, 2, 1) @ offset
    values, axes = np.linalg.eigh(spread)
    own = (axes * np.maximum(values - sigma**2, 0.0)[:, None, :]) @ axes.transpose(0, 2, 1)
    return Peaks(place, own, np.minimum(total, 1.0))
