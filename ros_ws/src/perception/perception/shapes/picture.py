"""A picture of shapes in colours: shaded triangles or discs, painted from far to near, each shape on its own shadow."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.shapes.sampling import subdivided
from perception.shapes.shape import Points, Shape

BACKGROUND = np.array([250, 250, 252], dtype=np.float64)
_SHADOW = 0.16
_OVERSAMPLING = 2
_ELEVATION_RAD = np.radians(14)
_AZIMUTHS_RAD = tuple(np.radians([-62.0, 118.0]))  # of the cameras: one before what looks along -y, and one behind it
_LIGHT = np.array([-0.45, 0.55, 0.85])  # from the camera's left, above and behind it: x right, y up, z to the camera
_MARGIN = 0.07  # of the height
_WIDEST_FACE = 3.0  # px of the picture
_MOST_SPLIT = 60_000
_DISC = 0.008  # radius of a cloud's point, of the height
_SHIFT = 4  # bits of a pixel's fraction in OpenCV


@dataclass(frozen=True, eq=False)
class Coloured:
    """A shape, z up, and the colour (N, 3) of each of its points, 0 to 255 RGB."""

    shape: Shape
    colours: NDArray[np.generic]


def place_colours(points: Points) -> Points:
    """(N, 3) RGB for points (N, 3), z up, that change smoothly and that no two distant places share: hue by height,
    lightness from side to side, colourfulness from front to back; in CIE L*a*b*, where equal steps look equal."""
    low, high = points.min(axis=0), points.max(axis=0)
    x, y, z = ((points - low) / np.where(high > low, high - low, 1)).T
    hue = np.radians(30 + 290 * z)
    light, chroma = 48 + 38 * x, 34 + 26 * y
    lab = np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    return np.asarray(255 * np.clip(rgb, 0, 1), dtype=np.float64)


def picture(shapes: Sequence[Coloured], height_px: int = 720) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: the shapes side by side, first from before and then from behind, all of one height."""
    panels = [_panel(one, azimuth, height_px) for azimuth in _AZIMUTHS_RAD for one in shapes]
    return np.concatenate(panels, axis=1)


def _panel(one: Coloured, azimuth: float, height_px: int) -> NDArray[np.uint8]:
    full = height_px * _OVERSAMPLING
    camera = _camera(azimuth)
    points, normals = one.shape.points @ camera.T, one.shape.normals @ camera.T
    colours = one.colours.astype(np.float64)
    ground = one.shape.points.copy()
    ground[:, 2] = ground[:, 2].min()
    ground = ground @ camera.T
    low = np.minimum(points.min(axis=0), ground.min(axis=0))
    high = np.maximum(points.max(axis=0), ground.max(axis=0))
    scale = full * (1 - 2 * _MARGIN) / max(high[1] - low[1], 0.6 * (high[0] - low[0]))
    width = int(scale * (high[0] - low[0]) + 2 * _MARGIN * full) // _OVERSAMPLING * _OVERSAMPLING
    middle = (low + high) / 2

    def pixels(places: Points) -> Points:
        x, y = ((places - middle) * scale)[:, :2].T
        return np.stack([width / 2 + x, full / 2 - y], axis=1)

    image = np.tile(BACKGROUND, (full, width, 1)) * _shadow(pixels(ground), full, width)[..., None]
    faces = one.shape.faces
    if faces is None:
        _paint_discs(image, pixels(points), points[:, 2], _shaded(normals, colours), _DISC * full)
    else:
        values = np.concatenate([points, normals, colours], axis=1)
        values, faces = _fine(values, faces, scale)
        shaded = _shaded(values[:, 3:6], values[:, 6:])
        _paint_triangles(image, pixels(values[:, :3]), values[:, 2], shaded, faces)
    small = cv2.resize(image, (width // _OVERSAMPLING, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small.round(), 0, 255), dtype=np.uint8)


def _camera(azimuth: float) -> Points:
    """(3, 3): rows are the axes right, up and towards the camera, in the shape's frame."""
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    towards = np.cos(_ELEVATION_RAD) * flat + np.sin(_ELEVATION_RAD) * np.array([0, 0, 1.0])
    right = np.array([-flat[1], flat[0], 0.0])
    return np.stack([right, np.cross(towards, right), towards])


def _shaded(normals: Points, colours: Points) -> Points:
    """Colours in a light from above the camera, with a soft sky and a small gloss; either side of a face is lit."""
    facing = np.where(normals[:, 2:] < 0, -normals, normals)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    half = light + np.array([0, 0, 1.0])
    diffuse = np.clip(facing @ light, 0, None)
    gloss = np.clip(facing @ (half / np.linalg.norm(half)), 0, None) ** 40
    brightness = 0.46 + 0.12 * facing[:, 1] + 0.52 * diffuse
    return np.asarray(np.clip(colours * brightness[:, None] + 38 * gloss[:, None], 0, 255), dtype=np.float64)


def _shadow(ground: Points, height: int, width: int) -> Points:
    """(H, W) factors: the shape as it stands over the ground, blurred."""
    mask = np.zeros((height, width), dtype=np.float32)
    radius = round(0.012 * height)
    for x, y in ground.astype(int).tolist()[:: max(1, len(ground) // 4000)]:
        cv2.circle(mask, (x, y), radius, 1.0, -1)
    return 1 - _SHADOW * np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.018 * height), dtype=np.float64)


def _fine(values: Points, faces: NDArray[np.int64], scale: float) -> tuple[Points, NDArray[np.int64]]:
    """Faces split until what each is painted in one colour with is hardly seen, or there are a great many."""
    while len(faces) < _MOST_SPLIT:
        corners = values[faces][:, :, :3]
        edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2) * scale
        if np.quantile(edges, 0.9) < _WIDEST_FACE * _OVERSAMPLING:
            break
        values, faces = subdivided(values, faces)
    return values, faces


def _paint_triangles(
    image: Points, pixels: Points, towards: Points, colours: Points, faces: NDArray[np.int64]
) -> None:
    order = np.argsort(towards[faces].mean(axis=1))
    corners = np.round(pixels[faces[order]] * 2**_SHIFT).astype(np.int32)
    for triangle, colour in zip(corners, colours[faces[order]].mean(axis=1).tolist(), strict=True):
        cv2.fillConvexPoly(image, triangle, colour, cv2.LINE_8, _SHIFT)


def _paint_discs(image: Points, pixels: Points, towards: Points, colours: Points, radius: float) -> None:
    order = np.argsort(towards)
    centres = np.round(pixels[order] * 2**_SHIFT).astype(int).tolist()
    size = round(radius * 2**_SHIFT)
    for centre, colour in zip(centres, colours[order].tolist(), strict=True):
        cv2.circle(image, centre, size, colour, -1, cv2.LINE_8, _SHIFT)
