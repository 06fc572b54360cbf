"""Search by mask: from one mask of a shape, how well all others of it are ranked among those of made pictures.

Each picture shows one of twelve shapes, anywhere and at 0.45 to 1 of the largest size, upright or turned by any angle,
over a ground with one or two blobs, in other colours each time. The layer whose mask overlaps the shape most, by at
least a half, is the shape's. A query is one such mask, right are those of the same shape in other pictures, and all
layers of all other pictures are ranked; average precision is the mean over queries. Peers are the masks as pixels, and
Hu's moments as OpenCV compares them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.layers.decompose import EFFORTS, decompose
from perception.layers.descriptors import distances, shapes, small_masks
from perception.layers.network import LayersNetwork

SIDE_PX, LAYERS = 128, 5
LEAST_OVERLAP = 0.5
_FINE = 16  # parts of a pixel
SEED = 11
PARAMETERS, SHAPE, TURNED = "l2 of parameters", "shape, moved and scaled", "shape, turned as well"
PIXELS, HU, CHANCE = "l2 of masks as pixels", "Hu's moments (cv2.matchShapes)", "chance"


def outlines() -> list[np.ndarray]:
    """Twelve shapes (K, 2), of about unit size around 0."""

    def around(radii: list[float], count: int, first: float = -np.pi / 2) -> np.ndarray:
        at = first + 2 * np.pi * np.arange(count) / count
        return np.stack([np.cos(at), np.sin(at)], axis=1) * np.resize(radii, count)[:, None]

    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    heart = np.stack([16 * np.sin(turn) ** 3, -13 * np.cos(turn) + 5 * np.cos(2 * turn) + 2 * np.cos(3 * turn)], axis=1)
    arc = np.linspace(0.25 * np.pi, 1.75 * np.pi, 40)
    crescent = [np.stack([np.cos(arc), np.sin(arc)], axis=1), np.stack([0.1 + 0.6 * np.cos(arc), 0.7 * np.sin(arc)],
                                                                       axis=1)[::-1]]  # fmt: skip
    drop = np.stack([0.55 * np.sin(turn) * np.sin(turn / 2) ** 2 * 1.5, -np.cos(turn)], axis=1)
    return [
        around([1.0], 60), around([1.0], 3), around([1.0], 4, np.pi / 4), around([1.0, 0.42], 10), heart / 16,
        np.concatenate(crescent), drop, around([1.0], 60) * (1, 0.4),
        np.array([(-1, -1), (-0.4, -1), (-0.4, 0.4), (1, 0.4), (1, 1), (-1, 1)]) * 0.8,
        np.array([(-1, -0.9), (1, -0.9), (1, -0.3), (0.3, -0.3), (0.3, 1), (-0.3, 1), (-0.3, -0.3), (-1, -0.3)]) * 0.8,
        np.array([(-1, -0.3), (0.1, -0.3), (0.1, -0.8), (1, 0), (0.1, 0.8), (0.1, 0.3), (-1, 0.3)]),
        np.array([(-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35), (0.35, 1), (-0.35, 1),
                  (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)]) * 0.9,
    ]  # fmt: skip


def made(rng: np.random.Generator, outline: np.ndarray, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """A picture (S, S, 4) with the shape, and where that is."""
    colours = rng.permutation(np.array(list(np.ndindex(3, 3, 3))) * 127)[:4]
    picture = np.empty((SIDE_PX, SIDE_PX, 4), np.uint8)
    picture[:] = (*colours[0], 255)
    for colour in colours[1 : 1 + int(rng.integers(1, 3))]:
        count = int(rng.integers(3, 9))
        blob = rng.uniform(0.4, 1, (count, 1)) * _circle(count) * SIDE_PX * 0.5 + rng.uniform(0, SIDE_PX, 2)
        picture[_filled(blob)] = (*colour, 255)
    size = 0.4 * SIDE_PX * rng.uniform(0.45, 1)
    angle = rng.uniform(0, 2 * np.pi) if turned else 0.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = rng.uniform(size, SIDE_PX - size, 2)
    inside = _filled(size * outline @ turn + centre)
    picture[inside] = (*colours[3], 255)
    return picture, inside


@dataclass(frozen=True, eq=False)
class Masks:
    """All masks of all pictures. labels: the shape of each, or -1. pictures: which each is of."""

    labels: np.ndarray
    pictures: np.ndarray
    parameters: np.ndarray
    small: np.ndarray
    shapes: np.ndarray
    shown: int


def masks_of(network: LayersNetwork, kinds: int, each: int, turned: bool, effort: str = "good") -> Masks:
    """Of `each` pictures of the first `kinds` shapes."""
    rng, labels, pictures, parameters, small, found = np.random.default_rng(SEED), [], [], [], [], []
    number = 0
    for _ in range(each):
        for label, outline in enumerate(outlines()[:kinds]):
            picture, truth = made(rng, outline, turned)
            layers = decompose(network, picture, LAYERS, EFFORTS[effort]).parameters
            seen = small_masks(network, layers, SIDE_PX, SIDE_PX)
            there = cv2.resize(truth.astype(np.float32), seen.shape[:0:-1], interpolation=cv2.INTER_AREA) > 0.5
            overlaps = [(there & (one > 0.5)).sum() / max(1, (there | (one > 0.5)).sum()) for one in seen]
            own = np.full(len(layers), -1)
            if max(overlaps) >= LEAST_OVERLAP:
                own[int(np.argmax(overlaps))] = label
            labels.append(own)
            pictures.append(np.full(len(layers), number))
            parameters.append(layers)
            small.append(seen)
            found.append(shapes(network, layers, seen, SIDE_PX, SIDE_PX))
            number += 1
    return Masks(*(np.concatenate(one) for one in (labels, pictures, parameters, small, found)), number)


def precisions(masks: Masks) -> dict[str, float]:
    """Mean average precision of each way to compare, over all queries."""
    queries = np.flatnonzero(masks.labels >= 0)
    small = np.stack([cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in masks.small])
    contours = [_contour(one) for one in masks.small]
    ways = {
        PARAMETERS: lambda q: distances(masks.parameters[q], masks.parameters, "parameters"),
        SHAPE: lambda q: distances(masks.shapes[q], masks.shapes, "shape"),
        TURNED: lambda q: distances(masks.shapes[q], masks.shapes, "turned"),
        PIXELS: lambda q: distances(small[q], small, "shape"),
        HU: lambda q: np.array([_hu(contours[q], one) for one in contours]),
    }
    found = {}
    for way, compared in ways.items():
        each = []
        for query in queries:
            others = masks.pictures != masks.pictures[query]
            right = (masks.labels == masks.labels[query])[others]
            if right.any():
                each.append(average_precision(right[np.argsort(compared(query)[others], kind="stable")]))
        found[way] = float(np.mean(each))
    return found


def average_precision(right: np.ndarray) -> float:
    """Of a ranking, best first: the mean of the precisions at all that are right."""
    places = np.flatnonzero(right)
    return float(np.mean((np.arange(len(places)) + 1) / (places + 1)))


def search_rows(network: LayersNetwork, quick: bool) -> list[dict]:
    """A row of each way, of shapes upright and turned."""
    rows, kinds = [], 6 if quick else 12
    for turned in (False,) if quick else (False, True):
        masks = masks_of(network, kinds, 2 if quick else 3, turned)
        right, count = int((masks.labels >= 0).sum()), len(masks.labels)
        of = f"{masks.shown} pictures, shapes {'turned' if turned else 'upright'}"
        given = {"of": of, "layers": LAYERS, "masks": count, "of shapes": right}
        found = precisions(masks) | {CHANCE: right / kinds / count}
        rows += [{"method": way} | given | {"one-shot AP %": 100 * value} for way, value in found.items()]
    return rows


def _circle(count: int) -> np.ndarray:
    at = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(at), np.sin(at)], axis=1)


def _filled(points: np.ndarray) -> np.ndarray:
    mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.fillPoly(mask, [np.rint((points - 0.5) * _FINE).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask > 0


def _contour(mask: np.ndarray) -> np.ndarray | None:
    larger = cv2.resize(mask, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    found, _ = cv2.findContours((larger > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(found, key=cv2.contourArea) if found else None


def _hu(one: np.ndarray | None, other: np.ndarray | None) -> float:
    if one is None or other is None or min(len(one), len(other)) < 3:
        return np.inf
    return cv2.matchShapes(one, other, cv2.CONTOURS_MATCH_I1, 0)
