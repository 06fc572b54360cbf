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
BLOCK_SIDE_M = 0.17  # width of the picture of the block
BLOCK_HEIGHT_SHARE = 0.75  # of its width
_BELOW_SIDES = 0.115
MOST_SAMPLED_PX = 4096  # side of what is cut out before it is shrunk: 50 MB
ARM_ROOM = 1.25  # sides of the picture of the arm, in sides of the box around its points
MOST_ARM_ZOOM = 1.7  # by which it is enlarged at most: what the tool network was trained on
BELOW_CLAMP_M = 0.06  # the middle of what matters: hand above the clamp, block below it


@dataclass(frozen=True)
class Rectangle:
    """A rectangle of an image, turned or upright, drawn as a picture: linear (2, 2) px of the image per px of the
    picture, the image's px `origin` (2,) of the picture's left top corner, and the picture's size (width, height)."""

    linear: Array
    origin: Array
    size: tuple[int, int]


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

    def upright(self, size: int) -> Rectangle:
        """The square, to be drawn at size x size."""
        return Rectangle(self.side / size * np.eye(2), np.array([self.u0, self.v0]), (size, size))


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


def window_of_height(clamp_px: ArrayLike, side_px: float) -> Window:
    """A square of a given side around the clamp as seen at clamp_px (2,), where no camera is known: as far below it as
    `window` looks for a camera 40 degrees above the plane."""
    u, v = np.asarray(clamp_px, dtype=np.float64) + np.array((0.0, _BELOW_SIDES * side_px))
    return Window(float(u - side_px / 2), float(v - side_px / 2), float(side_px))


def block_window(
    camera: Camera, middle_m: ArrayLike, left_m: ArrayLike, right_m: ArrayLike, size: tuple[int, int], side_m: float
) -> Rectangle | None:
    """The rectangle around a block's middle (3,) in which the line from its left end (3,) to its right one runs to the
    right, side_m wide at the middle's depth, base frame; None where the camera does not see them."""
    pixels, depths = camera.project(np.stack([middle_m, left_m, right_m]))
    if not np.isfinite(pixels).all():
        return None
    along = pixels[2] - pixels[1]
    step = side_m * camera.focal_px / depths[0] / size[0]
    x = along / max(float(np.linalg.norm(along)), 1e-9) * step
    linear = np.array([[x[0], -x[1]], [x[1], x[0]]])
    return Rectangle(linear, pixels[0] - linear @ (np.array(size) / 2), size)


def arm_window(pixels: ArrayLike, image_size: tuple[int, int], size: tuple[int, int]) -> Rectangle:
    """The part of an image of image_size (width, height) that holds what of the arm it shows, whose points appear at
    pixels (N, 2), with room around it: upright, inside the image, to be drawn at `size` (width, height)."""
    whole = np.array(image_size, dtype=np.float64)
    seen = np.clip(np.asarray(pixels, dtype=np.float64), 0.0, whole)
    low, high = seen.min(axis=0), seen.max(axis=0)
    fitting = float(np.min(whole / size))
    step = float(np.clip(ARM_ROOM * np.max((high - low) / size), fitting / MOST_ARM_ZOOM, fitting))
    sides = step * np.array(size)
    origin = np.clip((low + high - sides) / 2, 0.0, whole - sides)
    return Rectangle(step * np.eye(2), origin, size)


def cut(image: Image, rectangle: Rectangle) -> Image:
    """The rectangle of an image (H, W, 3) as (height, width, 3), its border repeated where it reaches outside.

    Each pixel is the mean of k x k bilinear samples, k = the image's px per px of the picture, rounded up: shrinking
    skips no texel, but of rectangles of more than MOST_SAMPLED_PX, for which k is limited.
    """
    step = float(np.sqrt(np.linalg.det(rectangle.linear)))
    samples = max(1, min(int(np.ceil(step)), MOST_SAMPLED_PX // max(rectangle.size)))
    linear = rectangle.linear / samples
    shift = rectangle.origin + linear @ (0.5, 0.5) - 0.5  # warpAffine counts from pixel centres
    fine = cv2.warpAffine(
        image,
        np.column_stack([linear, shift]),
        (rectangle.size[0] * samples, rectangle.size[1] * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(fine, rectangle.size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
