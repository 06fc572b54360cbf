"""The close-up around the clamp: which square of an image the fine network sees, and cutting it out."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.camera import Camera

Array = NDArray[np.float64]
SIDE_M = 0.40
BELOW_CLAMP_M = 0.06  # the middle of what matters: hand above the clamp, block below it


@dataclass(frozen=True)
class Window:
    """A square of an image: its top left corner u0, v0 and its side, in pixels of that image."""

    u0: float
    v0: float
    side: float

    def to_image(self, points_px: ArrayLike, size: int) -> Array:
        """Image pixels (..., 2) of pixels (..., 2) of the square drawn at size x size."""
        return np.asarray(points_px, dtype=np.float64) * (self.side / size) + (self.u0, self.v0)

    def from_image(self, points_px: ArrayLike, size: int) -> Array:
        """Pixels (..., 2) of the square drawn at size x size of image pixels (..., 2)."""
        return (np.asarray(points_px, dtype=np.float64) - (self.u0, self.v0)) * (size / self.side)


def window(camera: Camera, T_base_clamp: Array, clamp_px: ArrayLike) -> Window:
    """The square of SIDE_M at the clamp's depth, centred below the clamp as seen at clamp_px (2,).

    The camera only gives the scale and the direction to shift; where the clamp is comes from clamp_px.
    """
    clamp = T_base_clamp[:3, 3]
    pixels, depths = camera.project(np.stack([clamp, clamp - (0.0, 0.0, BELOW_CLAMP_M)]))
    side = SIDE_M * camera.focal_px / depths[0]
    centre = np.asarray(clamp_px, dtype=np.float64) + pixels[1] - pixels[0]
    return Window(float(centre[0] - side / 2), float(centre[1] - side / 2), float(side))


def cut(image: NDArray[np.uint8], square: Window, size: int) -> NDArray[np.uint8]:
    """The square of an image (H, W, 3) as (size, size, 3), its border repeated where it reaches outside."""
    scale = size / square.side
    shift = np.array([[scale, 0.0, -square.u0 * scale - 0.5], [0.0, scale, -square.v0 * scale - 0.5]])
    if scale < 1.0:  # average what falls into one pixel; warpAffine alone would skip texels
        image = cv2.GaussianBlur(image, (0, 0), 0.5 * (1.0 / scale - 1.0) + 1e-3)
    shift[:, 2] += 0.5 * scale  # pixel centres lie at integer + 0.5
    return np.asarray(
        cv2.warpAffine(image, shift, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
