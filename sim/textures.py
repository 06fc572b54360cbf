"""Textures by name: procedural families, each picture a function of (family, seed), and pictures from files.

All procedural ones repeat without a seam. Perlin's turbulence (SIGGRAPH 1985) is approximated by octaves of value
noise; cells are Worley's (SIGGRAPH 1996). For domain randomization see Tobin et al., IROS 2017.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sim.random_streams import stream
from sim.scene import Texture
from sim.texture_families import FAMILY_PATTERNS

FAMILIES = tuple(sorted(FAMILY_PATTERNS))
DRAWN_PX = 256  # patterns are drawn at this size and brought to others, so that all renderers show the same
PICTURE = "picture"
PICTURE_ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


@lru_cache(maxsize=64)
def pixels(texture: Texture, size: int = 128) -> np.ndarray:
    """(size, size, 3) uint8 sRGB, row 0 at the top; not to be written to.

    Procedural textures of even seed have natural colours, those of odd seed any.
    Raises ValueError for a family that there is not, and for a picture that cannot be read.
    """
    if texture.family == PICTURE:
        image = _picture(texture.path or "", size)
    elif texture.family in FAMILY_PATTERNS:
        image = _resized(_drawn(texture), size)
    else:
        raise ValueError(
            f"there is no texture family {texture.family!r}; choose one of: {', '.join(FAMILIES)}, {PICTURE}."
        )
    image.setflags(write=False)
    return image


def _drawn(texture: Texture) -> np.ndarray:
    rng = stream(texture.seed, 0, f"texture {texture.family}")
    shares = FAMILY_PATTERNS[texture.family](rng, DRAWN_PX, texture.seed % 2 == 0)
    return (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)


def _resized(image: np.ndarray, size: int) -> np.ndarray:
    """A square picture that repeats at another size, still without a seam."""
    own = len(image)
    if size <= own:
        return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))
    border = 4  # what the cubic looks at beyond the edge is on the other side
    padded = np.pad(image, ((border, border), (border, border), (0, 0)), mode="wrap")
    steps = (np.arange(size, dtype=np.float32) + 0.5) * own / size - 0.5 + border
    columns, rows = np.meshgrid(steps, steps)
    return np.asarray(cv2.remap(padded, columns, rows, cv2.INTER_CUBIC))


@lru_cache(maxsize=16)
def pictures(folder: str) -> tuple[str, ...]:
    """Paths of the pictures in a folder and the folders in it, sorted; raises ValueError where there are none."""
    endings = ", ".join(PICTURE_ENDINGS)
    if not Path(folder).is_dir():
        raise ValueError(
            f"the picture folder {folder} does not exist: give a folder with pictures ({endings})."
        )
    files = (path for path in Path(folder).rglob("*") if path.suffix.lower() in PICTURE_ENDINGS and path.is_file())
    found = sorted(str(path) for path in files)
    if not found:
        raise ValueError(
            f"the picture folder {folder} holds no pictures: give a folder with {endings} files."
        )
    return tuple(found)


def check_pictures(folder: str) -> None:
    """Look at a folder anew, and at each picture's structure, which takes less time than to decode it.

    Raises ValueError where there are no pictures, and for one that cannot be read.
    """
    pictures.cache_clear()
    pixels.cache_clear()
    for path in pictures(folder):
        try:
            with Image.open(path) as image:
                # Only decoding tells whether a BMP is whole; a JPEG that is not is drawn as far as it goes.
                image.load() if image.format == "BMP" else image.verify()
        except Exception as error:  # readers of damaged files raise whatever they meet
            raise _unreadable(path) from error


def _unreadable(path: str) -> ValueError:
    return ValueError(f"the picture {path} cannot be read: remove it from its folder or replace it.")


def _picture(path: str, size: int) -> np.ndarray:
    """The middle square of a picture file."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise _unreadable(path)
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = image[top : top + side, left : left + side, ::-1]
    return np.ascontiguousarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA))
