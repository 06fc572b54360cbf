"""What the tests over all renderers share: which there are here, and geometry that is known without drawing."""

from itertools import combinations, product

import cv2
import numpy as np
import pytest

from sim.renderers import RENDERERS, Renderer, Shot, open_renderer
from sim.scene import Block


def opened(name: str) -> Renderer:
    """The renderer of that name; the test is skipped where it cannot run."""
    if name == "gl":
        from sim.renderers.gl.probe import failure

        if reason := failure():
            pytest.skip(f"OpenGL does not work here: {reason}")
    if name == "cycles":
        from sim.renderers.cycles_process import BlenderError, blender_python

        try:
            blender_python()
        except BlenderError as error:
            pytest.skip(str(error))
        from sim.renderers.cycles import CyclesRenderer
        from sim.renderers.cycles_studio import Quality

        return CyclesRenderer(Quality(samples=8))  # grain changes neither labels nor places
    return open_renderer(name)


def each() -> list:
    """Every renderer; path tracing is slow."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name == "cycles")) for name in RENDERERS]


def pairs() -> list:
    """Every two renderers; path tracing is slow."""
    return [
        pytest.param(both, marks=[pytest.mark.slow] * ("cycles" in both)) for both in combinations(RENDERERS, 2)
    ]


def centres(shot: Shot) -> np.ndarray:
    """(H, W, 2) px of the camera's image: the centres of the shot's pixels."""
    u = shot.u0 + (np.arange(shot.width) + 0.5) * (shot.u1 - shot.u0) / shot.width
    v = shot.v0 + (np.arange(shot.height) + 0.5) * (shot.v1 - shot.v0) / shot.height
    return np.stack(np.meshgrid(u, v), axis=-1)


def rays(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Origin (3,) and directions (H, W, 3) in the base frame, of unit depth, through the pixels' centres."""
    camera = shot.camera
    place = (centres(shot) - (camera.width / 2, camera.height / 2)) / camera.focal_px
    directions = np.concatenate([place, np.ones((*place.shape[:2], 1))], axis=-1) @ camera.T_camera_base[:3, :3]
    return camera.position_m, directions


def outline(block: Block, shot: Shot) -> np.ndarray:
    """(N, 2) px of the shot: the convex outline of a block."""
    pose = block.body.pose
    corners = np.array(list(product((-0.5, 0.5), repeat=3))) * block.size_m @ pose[:3, :3].T + pose[:3, 3]
    pixels = shot.from_image(shot.camera.project(corners)[0]).astype(np.float32)
    return cv2.convexHull(pixels)[:, 0]


def covered(polygon: np.ndarray, width: int, height: int, finer: int = 1) -> np.ndarray:
    """(height, width) share of each pixel inside a convex polygon, of finer x finer samples; for 1 its centre alone."""
    u = (np.arange(width * finer) + 0.5) / finer
    v = (np.arange(height * finer) + 0.5) / finer
    inside = np.ones((height * finer, width * finer), bool)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        (x, y), (dx, dy) = start.astype(float), (end - start).astype(float)
        side = dx * (v[:, None] - y) - dy * (u[None, :] - x)
        inside &= side * _turn(polygon) >= 0
    return inside.reshape(height, finer, width, finer).mean(axis=(1, 3))


def _turn(polygon: np.ndarray) -> float:
    x, y = polygon.astype(float).T
    return float(np.sign(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))))


def centroid(weights: np.ndarray) -> np.ndarray:
    """(2,) px of the weights (H, W); pixel centres lie at integer + 0.5."""
    total = weights.sum()
    u, v = np.arange(weights.shape[1]) + 0.5, np.arange(weights.shape[0]) + 0.5
    return np.array([(weights.sum(axis=0) * u).sum() / total, (weights.sum(axis=1) * v).sum() / total])
