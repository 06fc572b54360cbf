"""Features on disk: a folder with one file for each picture, named by the SHA-256 of the picture's file.

Each is written whole or not at all, and mapped into memory when it is read, so that a collection may be larger than
that. The folder knows what made its features, and refuses others. A square picture takes 12 MB.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from perception.digest_store import DigestStore, write_whole
from training.art.extractor import shapes
from training.art.features import Features

_NETWORK = "network.onnx"
_MAGIC = b"BWART\x00\x00\x01"
_HEADER = struct.Struct("<8sIII44x")  # of 64 bytes: magic, width, height, channels


class FeatureStore(DigestStore):
    """The features of one making, by the digest of their picture's file."""

    DESCRIPTION, ENDING = "features.json", ".features"
    THINGS, MADE_BY = "features", "another network or engine"

    def __init__(self, folder: Path, key: str, scales: Sequence[int] | None = None) -> None:
        """Open or make the folder. key: what makes the features, as `Extractor.key` has it. scales: of their grids;
        None for those of `training.art.features`.

        Raises BlockworldError where the folder holds features of another making, or something else, or cannot be
        written to.
        """
        super().__init__(folder, key)
        self._scales = None if scales is None else tuple(scales)

    def __contains__(self, digest: str) -> bool:
        try:
            self._read(self.path(digest))
        except (OSError, ValueError):
            return False
        return True

    def __getitem__(self, digest: str) -> Features:
        """Features mapped into memory. Raises KeyError where there are none, or damaged ones."""
        try:
            return self._read(self.path(digest))
        except (OSError, ValueError):
            raise KeyError(digest) from None

    def put(self, digest: str, features: Features) -> None:
        """Keep them; what stood there stays until these are complete. Raises BlockworldError where they cannot be
        written."""
        header = _HEADER.pack(_MAGIC, *features.size, features.grids[0].shape[2])
        self.write(digest, [header, *(np.ascontiguousarray(grid, np.float16).data for grid in features.grids)])

    def network(self) -> bytes | None:
        """The ONNX file that was kept, or None where it is missing or damaged."""
        with suppress(OSError):
            checksum, _, content = (self.folder / _NETWORK).read_bytes().partition(b"\n")
            if hashlib.sha256(content).hexdigest().encode() == checksum:
                return content
        return None

    def keep_network(self, content: bytes) -> None:
        """Keep an ONNX file, which takes longer to make than to open."""
        with self.writing():
            write_whole(self.folder / _NETWORK, [hashlib.sha256(content).hexdigest().encode(), b"\n", content])

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
