"""Pictures to learn from: a folder, an archive, or an array; a tenth by the checksum of names is held out."""

import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from perception.errors import BlockworldError, ImageError, reason
from perception.layers.picture import MOST_BYTES, decode_rgba, premultiplied, read_rgba, scaled
from training.layers.config import PicturesConfig

ENDINGS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
HELD_OUT = 10
"""One in so many pictures, by a checksum of its name."""
_KEPT_BYTES = 1 << 30
Reader = Callable[[str], np.ndarray]


class PictureSet:
    """Pictures by number, (S, S, 4) uint8, colours multiplied with how opaque they are; kept once read, as far as they
    fit into memory."""

    def __init__(self, names: list[str], read: Reader, size_px: int) -> None:
        self.names, self._read, self.size_px = names, read, size_px
        self._kept: dict[int, np.ndarray] = {}
        self._most_kept = _KEPT_BYTES // (4 * size_px * size_px)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:
        if index in self._kept:
            return self._kept[index]
        whole = premultiplied(self._read(self.names[index]))
        found = np.rint(255 * np.clip(scaled(_padded(whole), self.size_px, self.size_px), 0, 1)).astype(np.uint8)
        if len(self._kept) < self._most_kept:
            self._kept[index] = found
        return found

    @classmethod
    def opened(cls, config: PicturesConfig, held_out: bool) -> "PictureSet":
        """Those of a source to train on, or those held out, in an order by the checksum of their names.

        Raises BlockworldError where there are none.
        """
        names, read = _source(config.source)
        chosen = [name for name in names if (checksum(name) % HELD_OUT == 0) == held_out]
        chosen.sort(key=lambda name: (zlib.crc32(name.encode()), name))
        if not chosen:
            raise BlockworldError(
                f"{config.source} has no {'held-out ' if held_out else ''}pictures ({' '.join(ENDINGS)}): give a "
                "source with more of them."
            )
        return cls(chosen[: config.most], read, config.size_px)


def checksum(name: str) -> int:
    """By which a picture is held out: of its name alone, so that copies and other orders change nothing."""
    return zlib.crc32(b"held out " + name.encode())


def _source(path: Path) -> tuple[list[str], Reader]:
    if path.is_dir():
        names = sorted(
            one.relative_to(path).as_posix()
            for one in path.rglob("*")
            if one.suffix.lower() in ENDINGS and one.is_file()
        )
        return names, lambda name: read_rgba(path / name)
    try:
        if path.suffix.lower() == ".npz":
            return _array(path)
        if path.suffix.lower() == ".zip":
            return _archive(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BlockworldError(f"{path} cannot be read ({reason(error)}): give a whole file.") from None
    raise BlockworldError(f"{path} is no folder, .zip or .npz of pictures: give one.")


def _array(path: Path) -> tuple[list[str], Reader]:
    with np.load(path, allow_pickle=False) as arrays:
        images = arrays["images"]
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (3,)):
        raise ValueError(f"images are {images.dtype} {images.shape}, not uint8 (N, H, W) or (N, H, W, 3)")
    rows = {f"{path.stem}/{number}": number for number in range(len(images))}

    def read(name: str) -> np.ndarray:
        image = images[rows[name]]
        rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=2)

    return list(rows), read


def _archive(path: Path) -> tuple[list[str], Reader]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(one for one in archive.namelist() if Path(one).suffix.lower() in ENDINGS)
    return names, partial(_from_archive, path)


def _from_archive(path: Path, name: str) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(name).file_size > MOST_BYTES:
            raise ImageError(f"{name} in {path} is too large: take it out.", "size")
        return decode_rgba(archive.read(name), f"{name} in {path}")


def _padded(picture: np.ndarray) -> np.ndarray:
    """The middle square of an opaque picture; all of a transparent one, in a square."""
    height, width = picture.shape[:2]
    if height == width:
        return picture
    if picture[..., 3].min() == 1:
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return picture[top : top + side, left : left + side]
    side = max(height, width)
    out = np.zeros((side, side, 4), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    out[top : top + height, left : left + width] = picture
    return out
