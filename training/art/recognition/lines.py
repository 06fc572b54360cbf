"""What drawings and photographs of marks have in common: lines, on a ground that is even and of no colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 512
"""To which the longest side is reduced first: twice what features need at the usual scale."""
_SMOOTH, _GROUND, _AROUND = 1 / 352, 1 / 24, 1 / 8
_LEAST, _GAIN, _GREY = 0.3, 40.0, 128.0


def lines_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) -> (h, w, 3) grey: the grain of paper smoothed, shading taken away, faint lines as strong as bold ones.

    Where a picture is even it stays so: what is weaker than a third of its usual contrast is not made as strong.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    small = cv2.resize(rgb, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    side = max(small.shape)
    grey = _blurred(small.astype(np.float32).mean(axis=2), side * _SMOOTH)
    lines = grey - _blurred(grey, side * _GROUND)
    usual = float(lines.std())
    strength = np.sqrt(_blurred(lines**2, side * _AROUND)) + _LEAST * usual + 1e-3
    seen = np.clip(_GREY + _GAIN * lines / strength, 0, 255).astype(np.uint8)
    return np.repeat(seen[..., None], 3, axis=2)


def _blurred(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px), np.float32)
