"""Features on disk: a folder with one file for each picture, named by the SHA-256 of the picture's file.

Each is written whole or not at all, and mapped into memory when it is read, so that a collection may be larger than
that. The folder knows what made its features, and refuses others. A square picture takes 12 MB.
"""

import hashlib
import json
import os
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from perception.errors import BlockworldError, reason
from training.art.extractor import shapes
from training.art.features import Features

DESCRIPTION, _NETWORK = "features.json", "network.onnx"
_ENDING, _SCRATCH = ".features", ".part"
_MAGIC = b"BWART\x00\x00\x01"
_HEADER = struct.Struct("<8sIII44x")  # of 64 bytes: magic, width, height, channels
_ABANDONED_S = 3600.0
_LARGEST_DESCRIPTION = 10_000


class FeatureStore:
    """The features of one making, by the digest of their picture's file."""

    def __init__(self, folder: Path, key: str, scales: Sequence[int] | None = None) -> None:
        """Open or make the folder. key: what makes the features, as `Extractor.key` has it. scales: of their grids;
        None for those of `training.art.features`.

        Raises BlockworldError where the folder holds features of another making, or something else, or cannot be
        written to.
        """
        self.folder, self.key, self._scales = folder, key, None if scales is None else tuple(scales)
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            found = _described(folder)
            if found is None:
                if any(path.suffix != _SCRATCH for path in folder.iterdir()):
                    raise BlockworldError(f"{folder} holds something else than features: name an empty folder.")
                write_whole(folder / DESCRIPTION, [json.dumps({"key": key}).encode()])
            elif found != key:
                raise BlockworldError(
                    f"{folder} holds features that another network or engine made: name another folder, or delete it."
                )
            _sweep(folder)

    def __contains__(self, digest: str) -> bool:
        try:
            self._read(self._path(digest))
        except (OSError, ValueError):
            return False
        return True

    def __getitem__(self, digest: str) -> Features:
        """Features mapped into memory. Raises KeyError where there are none, or damaged ones."""
        try:
            return self._read(self._path(digest))
        except (OSError, ValueError):
            raise KeyError(digest) from None

    def put(self, digest: str, features: Features) -> None:
        """Keep them; what stood there stays until these are complete. Raises BlockworldError where they cannot be
        written."""
        path = self._path(digest)
        with _told(self.folder):
            path.parent.mkdir(exist_ok=True)
            header = _HEADER.pack(_MAGIC, *features.size, features.grids[0].shape[2])
            write_whole(path, [header, *(np.ascontiguousarray(grid, np.float16).data for grid in features.grids)])

    def digests(self) -> set[str]:
        """Of all pictures that there are features of."""
        return {path.stem for path in self.folder.glob(f"??/*{_ENDING}")}

    def network(self) -> bytes | None:
        """The ONNX file that was kept, or None where it is missing or damaged."""
        with suppress(OSError):
            checksum, _, content = (self.folder / _NETWORK).read_bytes().partition(b"\n")
            if hashlib.sha256(content).hexdigest().encode() == checksum:
                return content
        return None

    def keep_network(self, content: bytes) -> None:
        """Keep an ONNX file, which takes longer to make than to open."""
        with _told(self.folder):
            write_whole(self.folder / _NETWORK, [hashlib.sha256(content).hexdigest().encode(), b"\n", content])

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}{_ENDING}"

    def _read(self, path: Path) -> Features:
        with path.open("rb") as file:
            magic, width, height, channels = _HEADER.unpack(file.read(_HEADER.size).ljust(_HEADER.size))
            size = os.fstat(file.fileno()).st_size
        if magic != _MAGIC or not (width and height and channels):
            raise ValueError
        grids = shapes((width, height), self._scales)
        ends = np.cumsum([rows * columns for rows, columns in grids])
        cells = int(ends[-1])
        if size != _HEADER.size + cells * channels * np.dtype(np.float16).itemsize:
            raise ValueError
        # Whoever writes to them changes memory of his own; torch would copy what it cannot write to.
        values = np.memmap(path, np.float16, "c", _HEADER.size, (cells, channels))
        parts = np.split(values, ends[:-1])
        found = (part.reshape(*grid, channels) for part, grid in zip(parts, grids, strict=True))
        return Features((width, height), tuple(found))


def _described(folder: Path) -> str | None:
    """What made the features of a folder; None where it does not say."""
    try:
        text = (folder / DESCRIPTION).read_bytes()[:_LARGEST_DESCRIPTION]
        return str(json.loads(text)["key"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return ""


def write_whole(path: Path, parts: list[bytes | memoryview]) -> None:
    """Write a file of these parts, one after the other, or leave what stood there. Raises OSError."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}{_SCRATCH}")
    try:
        with scratch.open("wb") as file:
            file.writelines(parts)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Delete what runs that were killed had begun to write."""
    for path in (*folder.glob(f"*{_SCRATCH}"), *folder.glob(f"??/*{_SCRATCH}")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BlockworldError(
            f"cannot write to the cache {folder} ({reason(error.strerror or error)}): name a folder that has room."
        ) from error
