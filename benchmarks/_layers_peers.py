"""What pictures are vectorised by elsewhere, at a number of paths or colours, and SVG as pixels to compare them by."""

import re
from xml.etree import ElementTree

import cv2
import numpy as np

from perception.layers.curves import sampled
from perception.layers.openraster import png
from perception.layers.picture import premultiplied

_FINER = 4
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
SETTINGS = [
    {"filter_speckle": speckle, "color_precision": precision, "layer_difference": difference}
    for precision in (1, 2, 3, 4, 6)
    for speckle in (2, 4, 8, 16, 32, 64)
    for difference in (16, 48, 96)
]


def rasterised(text: str, width: int, height: int) -> np.ndarray:
    """(H, W, 4), colours multiplied with how opaque, of an SVG of lines and curves, antialiased by 4 x 4 points."""
    canvas = np.zeros((height, width, 4), np.float32)
    for fill, opacity, shift, path in _paths(ElementTree.fromstring(text)):
        polygons = [np.rint((one + shift) * _FINER * 16 - 8).astype(np.int32) for one in _polygons(path)]
        mask = np.zeros((height * _FINER, width * _FINER), np.uint8)
        polygons = [one for one in polygons if len(one) > 2]
        if polygons:
            cv2.fillPoly(mask, polygons, 255, cv2.LINE_8, 4)
        share = opacity * cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255.0
        paint = np.array([*(int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0])
        canvas += (share * (paint - canvas)).astype(np.float32)
    return canvas


def _polygons(path: str) -> list[np.ndarray]:
    """Closed polygons (K, 2) of an SVG's path of the commands M, L, l, c and Z, curves by 12 points each."""
    found: list[list[np.ndarray]] = []
    for kind, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        numbers = np.array([float(one) for one in _NUMBER.findall(text)]).reshape(-1, 2)
        if kind == "M":
            found.append([])
        elif kind not in "LlcZ":
            raise ValueError(f"a path with the command {kind}")
        if kind == "c":
            here = found[-1][-1]
            found[-1] += [*sampled([np.concatenate([here[None], here + numbers])], 12)[1:], here + numbers[2]]
        else:
            for one in numbers:
                found[-1].append(found[-1][-1] + one if kind == "l" else one)
    return [np.array(one) for one in found]


def _paths(root: ElementTree.Element) -> list[tuple[str, float, np.ndarray, str]]:
    """Fill, how opaque, shift and path of each."""
    found = []
    fills = {child: group.get("fill", "") for group in root.findall(".//{*}g") for child in group}
    for one in root.iter("{http://www.w3.org/2000/svg}path"):
        shift = np.array([float(n) for n in _NUMBER.findall(one.get("transform", "translate(0,0)"))])
        fill = one.get("fill") or fills.get(one, "#000000")
        found.append((fill, float(one.get("fill-opacity", "1")), shift, one.get("d", "")))
    return found


def vtraced(picture: np.ndarray, most: int) -> tuple[np.ndarray, int, int]:
    """By vtracer, with the settings that give the smallest error of those that give at most so many paths: pixels,
    paths and bytes."""
    import vtracer

    height, width = picture.shape[:2]
    target, best = premultiplied(picture), (np.zeros((height, width, 4), np.float32), 0, 0)
    for settings in SETTINGS:
        text = vtracer.convert_raw_image_to_svg(png(picture), img_format="png", mode="polygon", **settings)
        count = text.count("<path")
        if 0 < count <= most:
            found = rasterised(text, width, height)
            if ((found - target) ** 2).sum() < ((best[0] - target) ** 2).sum():
                best = found, count, len(text)
    return best


def clustered(picture: np.ndarray, count: int, nearness: float) -> tuple[np.ndarray, float]:
    """By k-means of colours, or with nearness > 0 of colours and places, which is what SLIC does within windows: pixels
    in mean colours, and connected components of each cluster."""
    target = premultiplied(picture)
    height, width = target.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    features = np.dstack([target, nearness * x, nearness * y]).reshape(-1, 6).astype(np.float32)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 1e-4)
    _, labels, _ = cv2.kmeans(features, count, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    labels = labels.reshape(height, width)
    found, parts = np.zeros_like(target), []
    for one in range(count):
        inside = labels == one
        if inside.any():
            found[inside] = target[inside].mean(axis=0)
            parts.append(components(inside))
    return found, float(np.mean(parts))


def components(mask: np.ndarray) -> int:
    """Connected parts of a mask (H, W), of neighbours along rows and columns."""
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0] - 1
