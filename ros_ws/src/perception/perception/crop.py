"""The close-up around the clamp: which square of an image the fine network sees, and cutting it out.

The simulator renders its training close-ups by the same rule, from `window`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.camera import NEAREST_DEPTH_M, Camera
from perception.errors import LocalizationError
from perception.images import Image

Array = NDArray[np.float64]
SIDE_M = 0.40
BELOW_CLAMP_M = 0.06  # the middle of what matters: hand above the clamp, block below it


@dataclass(frozen=True)
class Window:
    """A square of an image: its top left corner u0, v0 and its side, in pixels; it may reach outside of the
    image."""

    u0: float
    v0: float
    side: float

    def to_image(self, points_px: ArrayLike, size: int) -> Array:
        """Image pixels (..., 2) of pixels (..., 2) of the square drawn at size x size."""
        return np.asarray(points_px, dtype=np.float64) * (self.side / size) + (self.u0, self.v0)

    def from_image(self, points_px: ArrayLike, size: int) -> Array:
        """Pixels (..., 2) of the square drawn at size x size of image pixels (..., 2)."""
        return (np.asarray(points_px, dtype=np.float64) - (self.u0, self.v0)) * (size / self.side)


def window(camera: Camera, T_base_clamp: Array, clamp_px: ArrayLike, side_m: float = SIDE_M) -> Window:
    """The square of side_m at the clamp's depth, centred below the clamp as seen at clamp_px (2,).

    The camera only gives the scale and the direction to shift, to the point 0.06 m below the clamp in base;
    where the clamp is comes from clamp_px. Raises LocalizationError for a clamp behind the camera.
    """
    clamp = T_base_clamp[:3, 3]
    pixels, depths = camera.project(np.stack([clamp, clamp - (0.0, 0.0, BELOW_CLAMP_M)]))
    if not depths.min() > NEAREST_DEPTH_M:
        raise LocalizationError("the clamp is behind the camera: move the gripper into the image.")
    side = side_m * camera.focal_px / depths[0]
    centre = np.asarray(clamp_px, dtype=np.float64) + pixels[1] - pixels[0]
    return Window(float(centre[0] - side / 2), float(centre[1] - side / 2), float(side))


def cut(image: Image, square: Window, size: int) -> Image:
    """The square of an image (H, W, 3) as (size, size, 3), its border repeated where it reaches outside.

    Each pixel is the mean of k x k bilinear samples, k = ceil(side / size): shrinking skips no texel.
    """
    samples = max(1, int(np.ceil(square.side / size)))
    scale = square.side / (size * samples)
    # warpAffine counts from pixel centres: sample i lies at (i + 0.5) * scale + u0, which is 0.5 more than
    # its index.
    matrix = np.array(
        [[scale, 0.0, square.u0 + 0.5 * scale - 0.5], [0.0, scale, square.v0 + 0.5 * scale - 0.5]]
    )
    fine = cv2.warpAffine(
        image,
        matrix,
        (size * samples, size * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
