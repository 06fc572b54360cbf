"""Scans as pictures: any file that is found in a collection, opened without trusting it.

What a file claims is looked at before anything is decoded: how much memory decoding would take decides whether it is.
Pictures larger than features need are made smaller, JPEG and JPEG 2000 while they are decoded.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from perception.bounded_files import open_regular
from perception.errors import ImageError, reason
from perception.picture_folder import shown, unreadable
from training.art.jpeg_header import is_decoded_in_strips

MOST_PIXELS = 100_000_000
"""That are decoded at once: 400 MB, 800 MB in 16 bits."""
MOST_SMALLER_PIXELS = 4_300_000_000
"""Of a JPEG that is made smaller while it is decoded, all that the format can hold."""
LARGEST_SIDE_PX = 2560
"""Of a picture that is kept: twice that of the finest grid of features."""
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")  # none that starts another program
_JPEG = b"\xff\xd8\xff"
_EIGHTH = 8  # the smallest that JPEG decodes to
_WIDE = {"I;16", "I;16B", "I;16L", "I;16N", "I"}  # 16 bits, of which Pillow decodes some to 32
_UINT16_PER_UINT8 = 257
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHITE = (255, 255, 255, 255)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, upright."""

    size: tuple[int, int]
    """(width, height) of the file's picture, px, which `rgb` may have fewer of."""
    rgb: NDArray[np.uint8]
    """(H, W, 3), of its proportions, at most LARGEST_SIDE_PX a side."""


def read_picture(path: Path) -> Picture:
    """The picture of a file: the first of several, turned as its EXIF says, CMYK, grey, palettes and 16 bits as RGB of
    8 bits, what is transparent over white.

    Raises ImageError where it cannot be read, is no picture or a damaged one, or would take too much memory.
    """
    with _told(path), open_regular(path) as (file, size):
        if size == 0:
            raise ImageError(f"{shown(path)} is empty: copy it again from where it came from.", "empty")
        return _decoded(_opened(file, path), path)


def picture_in(content: bytes, path: Path) -> Picture:
    """The same of the bytes of a file that is elsewhere."""
    with _told(path):
        return _decoded(_opened(io.BytesIO(content), path), path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raises ImageError for all that goes wrong with a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes, which are looked at here, and of metadata that is not
        try:
            yield
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(
                f"{shown(path)} is no picture that can be read: save it as JPEG, PNG, TIFF or WebP.", "format"
            ) from error
        except Image.DecompressionBombError as error:
            raise ImageError(f"{shown(path)} is {_too_large()}", "size") from error
        except OSError as error:
            # Pillow's own have no number: a file that ends too soon, or is damaged.
            raise unreadable(path, error) if error.errno else _damaged(path, error) from error
        except Exception as error:  # decoders raise what their parsing happens to raise
            raise _damaged(path, error) from error


def _opened(file: BinaryIO, path: Path) -> Image.Image:
    """Its header, read and judged."""
    jpeg = file.read(len(_JPEG)) == _JPEG
    file.seek(0)
    # By its own class, since Image.open refuses by size what can be decoded at an eighth of it.
    picture = JpegImageFile(file) if jpeg else Image.open(file, formats=_FORMATS)
    width, height = picture.size
    most = MOST_PIXELS
    if jpeg:
        file.seek(0)
        most = MOST_SMALLER_PIXELS if is_decoded_in_strips(file) else MOST_PIXELS
    if width * height > most:
        raise ImageError(f"{shown(path)} is {width} x {height} px, {_too_large()}", "size")
    return picture


def _decoded(picture: Image.Image, path: Path) -> Picture:
    width, height = picture.size
    if isinstance(picture, JpegImageFile):
        picture.draft(None, _at_most(picture.size, LARGEST_SIDE_PX))
    picture.load()
    if picture.mode == "F":
        raise ImageError(f"{shown(path)} has values of 32 bits: save it with 8 or 16.", "format")
    orientation = _orientation(picture)
    rgb = _in_rgb(picture)
    if max(rgb.size) > LARGEST_SIDE_PX:
        smaller = _at_most(rgb.size, LARGEST_SIDE_PX)
        rgb = rgb.resize(smaller, Image.Resampling.BICUBIC, reducing_gap=3.0)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    size = (height, width) if orientation >= _ON_ITS_SIDE else (width, height)
    return Picture(size, np.asarray(rgb, dtype=np.uint8))


def _orientation(picture: Image.Image) -> int:
    """What its EXIF says, 1 to 8; where that is damaged, 1, which is upright."""
    with suppress(Exception):  # parsing raises what it happens to raise
        return int(picture.getexif().get(_ORIENTATION, 1))
    return 1


def _in_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _WIDE:
        values = np.clip(np.asarray(picture), 0, np.iinfo(np.uint16).max).astype(np.uint32)
        picture = Image.fromarray(((values + _UINT16_PER_UINT8 // 2) // _UINT16_PER_UINT8).astype(np.uint8))
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, _WHITE), over).convert("RGB")
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    return picture.convert("RGB")


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    made = ImageCms.applyTransform(picture, ImageCms.buildTransform(lab, rgb, "LAB", "RGB"))
    assert made is not None
    return made


def _at_most(size: tuple[int, int], longest: int) -> tuple[int, int]:
    width, height = (max(1, round(side * min(1.0, longest / max(size)))) for side in size)
    return width, height


def _too_large() -> str:
    return (
        f"too large: save it with at most {MOST_PIXELS // 10**6} megapixels, or as a JPEG that is neither progressive "
        "nor stored colour by colour."
    )


def _damaged(path: Path, error: Exception) -> ImageError:
    return ImageError(f"{shown(path)} is damaged ({reason(error)}): copy or save it again.", "damaged")
