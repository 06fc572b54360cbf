"""From the pinhole to the picture that a camera takes: where the lens puts a point, and photographs of scenes.

Pixels are those of the camera's image unless a shot is named. The lens is that of Brown, "Decentering distortion of
lenses" (1966), without the decentering: a point at radius r from the principal point, in focal lengths, comes to
r (1 + k1 r^2 + k2 r^4). Where that stops growing with r, which no lens does, it goes on with slope 1, so that nothing
from far outside the picture is folded into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from perception.camera import Camera
from sim.renderers import Frame, Renderer, Shot
from sim.scene import Lens, Scene, View
from sim.sensor import develop

TABLE = 1024
GRID_PX = 4  # the warp is computed this far apart and linear in between: 0.02 px off at most, unless the lens folds
MARGIN_PX = 2
LARGEST_WINDOW = 3.0  # a pinhole picture has at most this many times the shot's width and height


def photograph(renderer: Renderer, scene: Scene, shots: Sequence[Shot], views: Sequence[View]) -> list[Frame]:
    """The shots as the lenses and sensors of their views take them; each shot is of its view's camera.

    A shot's window is one of the real image. rgb has passed lens and sensor; depth (m, along the optical axis) and
    label have passed the lens alone, each from the nearest sample.
    """
    warps = [_warp_of(shot, view.lens) for shot, view in zip(shots, views, strict=True)]
    frames = renderer.render(scene, [warp.shot(shot) for warp, shot in zip(warps, shots, strict=True)])
    return [
        develop(warp.apply(frame), shot, view)
        for warp, frame, shot, view in zip(warps, frames, shots, views, strict=True)
    ]


def to_image(view: View, pinhole_px: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of the real image for pixels (..., 2) of the pinhole's; what is NaN stays NaN."""
    camera, lens = view.camera, view.lens
    centre = np.array([camera.width / 2, camera.height / 2])
    place = (np.asarray(pinhole_px, dtype=float) - centre) / camera.focal_px
    radius = np.linalg.norm(place, axis=-1, keepdims=True)
    stretch = _moved(radius, lens) / np.where(radius == 0, 1.0, radius)
    return centre + lens.shift_px + camera.focal_px * place * np.where(radius == 0, 1.0, stretch)


def from_image(view: View, image_px: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of the pinhole's image for pixels (..., 2) of the real one: the inverse of `to_image`."""
    camera, lens = view.camera, view.lens
    centre = np.array([camera.width / 2, camera.height / 2])
    place = (np.asarray(image_px, dtype=float) - centre - lens.shift_px) / camera.focal_px
    radius = np.linalg.norm(place, axis=-1, keepdims=True)
    farthest = float(np.nanmax(radius, initial=1e-6))
    limit = farthest
    while _moved(np.array(limit), lens) < farthest:
        limit *= 1.5
    table = np.linspace(0, limit, TABLE)
    stretch = np.interp(radius, _moved(table, lens), table) / np.where(radius == 0, 1.0, radius)
    return centre + camera.focal_px * place * np.where(radius == 0, 1.0, stretch)


@dataclass(frozen=True, eq=False)
class _Warp:
    """What to draw through the pinhole, window (u0, v0, u1, v1) at size (width, height) px, and for each pixel of
    the shot, where in that drawing its light comes from: maps (H, W) of columns and rows, counted from the first
    pixel's centre. Without maps the drawing is the shot."""

    window: tuple[float, float, float, float]
    size: tuple[int, int]
    maps: tuple[np.ndarray, np.ndarray] | None

    def shot(self, shot: Shot) -> Shot:
        u0, v0, u1, v1 = self.window
        return replace(shot, u0=u0, v0=v0, u1=u1, v1=v1, width=self.size[0], height=self.size[1])

    def apply(self, frame: Frame) -> Frame:
        if self.maps is None:
            return frame
        nearest = [
            cv2.remap(layer, *self.maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            for layer in (frame.depth, frame.segmentation)
        ]
        rgb = cv2.remap(frame.rgb, *self.maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Frame(rgb, *nearest)


def _warp_of(shot: Shot, lens: Lens) -> _Warp:
    camera = shot.camera
    window = (shot.u0, shot.v0, shot.u1, shot.v1)
    if lens.k1 == lens.k2 == 0:
        right, down = lens.shift_px
        moved = (shot.u0 - right, shot.v0 - down, shot.u1 - right, shot.v1 - down)
        return _Warp(moved, (shot.width, shot.height), None)
    return _distortion(lens, camera.focal_px, (camera.width, camera.height), window, (shot.width, shot.height))


@lru_cache(maxsize=8)
def _distortion(
    lens: Lens,
    focal_px: float,
    image: tuple[int, int],
    window: tuple[float, float, float, float],
    size: tuple[int, int],
) -> _Warp:
    view = View(Camera(focal_px, *image, np.eye(4)), lens)
    scale = np.array([(window[2] - window[0]) / size[0], (window[3] - window[1]) / size[1]])  # image px per shot px
    # Nodes in the middles of squares of GRID_PX pixels, with one row of squares more on each side.
    counts = [-(-length // GRID_PX) + 2 for length in size]
    columns, rows = ((np.arange(count) - 0.5) * GRID_PX for count in counts)
    nodes = np.stack(np.meshgrid(columns, rows), axis=-1)
    source = from_image(view, np.array(window[:2]) + nodes * scale).astype(np.float32)
    between = cv2.resize(source, (GRID_PX * counts[0], GRID_PX * counts[1]), interpolation=cv2.INTER_LINEAR)
    maps = cv2.split(between[GRID_PX : GRID_PX + size[1], GRID_PX : GRID_PX + size[0]])
    low = np.array([float(each.min()) for each in maps]) - MARGIN_PX * scale
    extent = np.array([float(each.max()) for each in maps]) + MARGIN_PX * scale - low
    drawn = np.ceil(np.minimum(extent / scale, LARGEST_WINDOW * np.array(size))).astype(int)
    zoom = drawn / extent
    across, down = (np.float32(zoom[axis]) * (maps[axis] - np.float32(low[axis])) - np.float32(0.5) for axis in (0, 1))
    (u0, v0), (u1, v1) = low.tolist(), (low + extent).tolist()
    return _Warp((u0, v0, u1, v1), (int(drawn[0]), int(drawn[1])), (across, down))


def _moved(radius: np.ndarray, lens: Lens) -> np.ndarray:
    """Radii in the real image for radii in the pinhole's, both in focal lengths."""
    turning = _turning_radius(lens)
    inner = np.minimum(radius, turning)
    square = inner * inner
    return inner * (1 + square * (lens.k1 + lens.k2 * square)) + (radius - inner)


@lru_cache(maxsize=64)
def _turning_radius(lens: Lens) -> float:
    """The least radius at which the distorted radius stops growing; inf where it never does."""
    turn = 9 * lens.k1**2 - 20 * lens.k2  # of the derivative 1 + 3 k1 r^2 + 5 k2 r^4
    if turn < 0 or (slope := np.sqrt(turn) - 3 * lens.k1) <= 0:
        return float("inf")
    return float(np.sqrt(2 / slope))
