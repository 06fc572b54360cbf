"""Picture files of any kind as RGBA of 8 bits: what a file claims is judged before anything of it is decoded."""

import os
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from perception.bounded_files import read_bounded
from perception.errors import ImageError, reason

Rgba = NDArray[np.uint8]
MOST_BYTES = 1 << 28
MOST_PIXELS = 50_000_000
"""Six times those of 3840 x 2160: as floats of four channels 800 MB."""
SMALLEST_SIDE_PX = 8
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")  # none that starts another program
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_UINT16_PER_UINT8 = 257  # 65535 / 255


def read_rgba(path: str | os.PathLike[str]) -> Rgba:
    """(H, W, 4) of a file: the first of several pictures, upright as its EXIF says; grey, palettes, CMYK and 16 bits
    as RGB of 8, and 255 as the fourth channel of what says nothing of transparency.

    Raises ImageError where it cannot be read, is no picture, a damaged one, or of a size that is not worked with.
    """
    try:
        content = read_bounded(Path(path), MOST_BYTES)
    except OSError as error:
        told = reason(error.strerror or error)
        raise ImageError(f"{path} cannot be read ({told}): give the path of a picture.", "file") from None
    return decode_rgba(content, str(path))


def decode_rgba(content: bytes, source: str) -> Rgba:
    """The same of a file's bytes."""
    if not content:
        raise ImageError(f"{source} is empty: copy it again from where it came from.", "empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes, which are looked at here, and of metadata that is not
        try:
            with Pillow.open(BytesIO(content), formats=_FORMATS) as picture:
                _check_size(*picture.size, source)
                return _decoded(picture, source)
        except ImageError:
            raise
        except (UnidentifiedImageError, SyntaxError) as error:
            raise ImageError(
                f"{source} is no picture that can be read: save it as PNG, JPEG, WebP or TIFF.", "format"
            ) from error
        except Pillow.DecompressionBombError:
            raise ImageError(f"{source} is too large: {_advice()}.", "size") from None
        except Exception as error:  # decoders raise what their parsing happens to raise
            raise ImageError(f"{source} is damaged ({reason(error)}): copy or save it again.", "damaged") from error


def premultiplied(picture: Rgba) -> NDArray[np.float32]:
    """(H, W, 4) in [0, 1], colours multiplied with how opaque they are."""
    found = picture.astype(np.float32) / 255
    found[..., :3] *= found[..., 3:]
    return np.asarray(found, np.float32)


def unmultiplied(picture: NDArray[np.float32]) -> Rgba:
    """The inverse, rounded."""
    alpha = picture[..., 3:]
    colour = np.divide(picture[..., :3], alpha, out=np.zeros_like(picture[..., :3]), where=alpha > 1e-6)
    return np.rint(255 * np.clip(np.concatenate([colour, alpha], axis=2), 0, 1)).astype(np.uint8)


def scaled(picture: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """A picture (H, W, C) of another size: by area where it shrinks."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    found = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def _check_size(width: int, height: int, source: str) -> None:
    size = f"{source} is {width} x {height} px"
    if min(width, height) < SMALLEST_SIDE_PX:
        raise ImageError(f"{size}: give at least {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX} px.", "size")
    if width * height > MOST_PIXELS:
        raise ImageError(f"{size}: {_advice()}.", "size")


def _advice() -> str:
    return f"give at most {MOST_PIXELS // 10**6} megapixels; scale it down"


def _decoded(picture: Pillow.Image, source: str) -> Rgba:
    picture.load()
    with suppress(Exception):  # of EXIF that is damaged
        picture = ImageOps.exif_transpose(picture)
    if picture.mode == "F":
        raise ImageError(f"{source} has values of 32 bits: save it with 8 or 16.", "format")
    if picture.mode in _WIDE:
        values = np.clip(np.asarray(picture), 0, np.iinfo(np.uint16).max).astype(np.uint32)
        picture = Pillow.fromarray(((values + _UINT16_PER_UINT8 // 2) // _UINT16_PER_UINT8).astype(np.uint8))
    if picture.mode == "LAB":
        picture = picture.convert("RGB")
    return np.asarray(picture.convert("RGBA"), np.uint8)
