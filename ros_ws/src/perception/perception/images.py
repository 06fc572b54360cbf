"""Images as the library takes them: (H, W, 3) uint8 RGB arrays, checked, and brought to a network's size."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import ImageError

Image = NDArray[np.uint8]
SMALLEST_SIDE_PX = 64


def check(image: Any, source: str = "the image") -> Image:
    """The image itself if it is an (H, W, 3) uint8 array of at least 64 x 64; raises ImageError otherwise."""
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{source} is a {type(image).__name__}: give a numpy array (H, W, 3) of uint8, RGB.")
    if image.dtype != np.uint8:
        raise ImageError(f"{source} has values of type {image.dtype}: give uint8, 0 to 255.")
    if image.ndim != 3 or image.shape[2] != 3:
        channels = image.shape[2] if image.ndim == 3 else 1
        found = (
            f"{channels} channel{'s' * (channels != 1)}" if image.ndim in (2, 3) else f"shape {image.shape}"
        )
        raise ImageError(f"{source} has {found}: give a colour image with 3 channels, RGB.")
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST_SIDE_PX:
        raise ImageError(
            f"{source} is {width} x {height} px: give at least {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX} px."
        )
    return image


def read(path: str | os.PathLike[str]) -> Image:
    """The image of a file as (H, W, 3) RGB; raises ImageError where it is missing, no image, or has not 3
    channels."""
    try:
        content = np.fromfile(Path(path), dtype=np.uint8)
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read ({error.strerror}): give the path of an image file."
        ) from None
    decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if decoded is None:
        raise ImageError(f"{path} is not an image file: give a PNG or JPEG.")
    check(decoded, str(path))
    return np.ascontiguousarray(decoded[:, :, ::-1])


def resize(image: Image, width: int, height: int) -> Image:
    """The whole image, scaled to width x height: by area where it shrinks, which keeps thin things
    visible."""
    shrinks = image.shape[1] >= width and image.shape[0] >= height
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), dtype=np.uint8)
