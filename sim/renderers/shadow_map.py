"""Shadows found after drawing: a picture of distances from the light tells what stands in the light's way.

Williams, "Casting curved shadows on curved surfaces" (SIGGRAPH 1978), softened by looking at several places of the
map (Reeves et al., SIGGRAPH 1987).
"""

from dataclasses import dataclass

import numpy as np

from perception.camera import Camera

TAPS = [(across, down) for across in (-1, 0, 1) for down in (-1, 0, 1)]
BIAS_TEXELS = 1.0
LEAST_SPREAD_TEXELS = 0.5


@dataclass(frozen=True, eq=False)
class ShadowMap:
    """What a camera at the light's place sees: depth (N, N) m. softness_m is half the width of a shadow's edge."""

    camera: Camera
    depth: np.ndarray
    softness_m: float = 0.0

    def lit(self, points_m: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(N,) share of the light, 0 to 1, that reaches points (N, 3) with unit normals (N, 3) in the base frame.

        What the map does not show is lit.
        """
        turn, move = np.float32(self.camera.T_camera_base[:3, :3]), np.float32(self.camera.T_camera_base[:3, 3])
        focal, size = np.float32(self.camera.focal_px), self.camera.width
        seen = points_m @ turn.T + move
        texel_m = np.maximum(seen[:, 2:], 1e-3) / focal
        seen += BIAS_TEXELS * texel_m * (normals @ turn.T)  # off the surface, so that it does not shade itself
        place = seen[:, :2] * (focal / np.maximum(seen[:, 2:], 1e-3)) + size / 2
        limit = seen[:, 2] - BIAS_TEXELS * texel_m[:, 0] / 2
        inside = ((place >= 1) & (place < size - 1)).all(axis=1) & (seen[:, 2] > 0)
        place = np.where(inside[:, None], place, size / 2)
        spread = np.maximum(self.softness_m / texel_m[:, 0], LEAST_SPREAD_TEXELS)
        lit = np.zeros(len(points_m), np.float32)
        for across, down in TAPS:
            column = (place[:, 0] + across * spread).astype(np.int32).clip(0, size - 1)
            row = (place[:, 1] + down * spread).astype(np.int32).clip(0, size - 1)
            lit += self.depth[row, column] >= limit
        return np.where(inside, lit / len(TAPS), np.float32(1.0))


def surface(depth: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and unit normals (H, W, 3) in the camera frame, of a picture of finite depths (H, W) m along rays
    (H, W, 3) of unit depth.

    Of a pixel's two neighbours along an axis, the one nearer in depth counts: it lies on the same surface.
    """
    points = rays * depth[..., None]
    normals = np.cross(_slope(points, 0), _slope(points, 1))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    return points, normals


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    steps = np.diff(points, axis=axis)
    before = np.concatenate([np.take(steps, [0], axis), steps], axis)
    after = np.concatenate([steps, np.take(steps, [-1], axis)], axis)
    nearer = np.abs(before[..., 2:]) < np.abs(after[..., 2:])
    return np.where(nearer, before, after)
