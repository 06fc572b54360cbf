"""Images as the library takes them: (H, W, 3) uint8 RGB arrays, made of what cameras and files give, and brought to a
network's size."""

import os
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from perception.errors import ImageError

Image = NDArray[np.uint8]
SMALLEST_SIDE_PX = 64
LARGEST_SIDE_PX = 32_000  # OpenCV warps nothing larger
MOST_PIXELS = 100_000_000  # 300 MB as RGB
_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 4: cv2.COLOR_RGBA2RGB}
_UINT16_PER_UINT8 = 257  # 65535 / 255


def prepare(image: Any, source: str = "the image") -> Image:
    """An image as (H, W, 3) uint8 RGB; itself where it is that already.

    Takes arrays (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8 or uint16. Grey is repeated for the three channels,
    a fourth channel (alpha) dropped, uint16 divided by 257 and rounded, so that 65535 becomes 255: a camera that fills
    10 or 12 of the 16 bits must be scaled up first. Raises ImageError for everything else.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{source} is a {type(image).__name__}: give a numpy array (H, W, 3) of uint8, RGB.")
    if image.dtype.kind != "u" or image.dtype.itemsize > 2:
        raise ImageError(f"{source} has values of type {image.dtype}: give uint8, 0 to 255, or uint16, 0 to 65535.")
    if image.ndim not in (2, 3):
        raise ImageError(f"{source} has shape {image.shape}: give an array (H, W, 3).")
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels != 3 and channels not in _TO_RGB:
        raise ImageError(f"{source} has {channels} channels: give 1 (grey), 3 (RGB) or 4 (RGB and alpha).")
    check_size(image.shape[1], image.shape[0], source)
    if image.dtype.itemsize == 2:
        native = np.ascontiguousarray(image, dtype=np.uint16)
        image = cv2.convertScaleAbs(native, alpha=1.0 / _UINT16_PER_UINT8).reshape(image.shape)
    if channels in _TO_RGB:
        image = cv2.cvtColor(np.ascontiguousarray(image), _TO_RGB[channels])
    return image


def check_size(width: int, height: int, source: str = "the image") -> None:
    """Raises ImageError for an image too small to show anything, or too large to work with."""
    size = f"{source} is {width} x {height} px"
    if min(height, width) < SMALLEST_SIDE_PX:
        raise ImageError(f"{size}: give at least {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX} px.", "size")
    if height * width > MOST_PIXELS or max(height, width) > LARGEST_SIDE_PX:
        raise ImageError(
            f"{size}: give at most {MOST_PIXELS // 10**6} megapixels and {LARGEST_SIDE_PX} px a side; scale it down.",
            "size",
        )


def read(path: str | os.PathLike[str]) -> Image:
    """The image of a file as (H, W, 3) uint8 RGB, turned as its EXIF says; grey, alpha and 16 bits as `prepare` has it.

    Raises ImageError where it is missing, no image, or of an unusual size; the size is looked at before it is decoded.
    """
    check_size(*_size(path), source=str(path))
    decoded = cv2.imdecode(np.fromfile(Path(path), dtype=np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if decoded is None:
        raise ImageError(f"{path} is damaged: give a whole image file.")
    return np.asarray(cv2.cvtColor(prepare(decoded, str(path)), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def read_with_alpha(path: str | os.PathLike[str]) -> tuple[Image, NDArray[np.uint8] | None]:
    """The image of a file as `read` has it, and how opaque each of its pixels is (H, W), 255 for all, or None where the
    file does not say. Raises ImageError as `read` does."""
    image = read(path)
    with Picture.open(path) as picture:
        transparent = "A" in picture.getbands() or "transparency" in picture.info
        alpha = np.asarray(ImageOps.exif_transpose(picture.convert("RGBA")))[..., 3] if transparent else None
    return image, alpha


def _size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height from a file's header."""
    reason = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Picture.DecompressionBombWarning)  # `check_size` is stricter
            with Picture.open(path) as picture:
                return picture.size
    except Picture.DecompressionBombError:
        raise ImageError(
            f"{path} is too large: give at most {MOST_PIXELS // 10**6} megapixels; scale it down."
        ) from None
    except (UnidentifiedImageError, SyntaxError, ValueError):
        pass
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise ImageError(f"{path} cannot be read ({reason}): give the path of an image file.")
    raise ImageError(f"{path} is not an image file: give a PNG or JPEG.")


def resize(image: Image, width: int, height: int) -> Image:
    """The whole image, scaled to width x height: by area where it shrinks, which keeps thin things
    visible."""
    shrinks = image.shape[1] >= width and image.shape[0] >= height
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), dtype=np.uint8)
