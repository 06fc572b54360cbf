"""Tar files that are appended to scene by scene and come out the same bytes each time.

A shard is a plain POSIX tar in WebDataset's layout: the files of one image share the name up to the first dot and
stand next to each other, `0000012-0.png` before `0000012-0.json`. Owner, mode and time of every entry are fixed.
"""

import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BLOCK = tarfile.BLOCKSIZE
TRAILER = bytes(2 * BLOCK)
RECORD = "json"


class DamagedError(ValueError):
    """A tar ends early or holds what was never written."""


@dataclass(frozen=True)
class Sample:
    """One image as stored: `files` by extension ("png", "depth.png", ...), without the record.

    record: the labels, see docs/datasets.md.
    """

    key: str
    record: dict[str, Any]
    files: dict[str, bytes]


def key_of(scene: int, view: int) -> str:
    """Name of the files of an image, without extension."""
    return f"{scene:07d}-{view}"


def pack(key: str, files: Mapping[str, bytes], record: Mapping[str, Any]) -> bytes:
    """The entries of one image, its record last: with the record, the image is complete."""
    checked = {**record, "crc32": {extension: zlib.crc32(data) for extension, data in files.items()}}
    text = json.dumps(checked, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    return b"".join(
        _entry(f"{key}.{extension}", data) for extension, data in (*files.items(), (RECORD, text))
    )


def samples(content: bytes) -> Iterator[tuple[Sample, int]]:
    """The images of a tar in order, each with the offset of its end.

    Raises DamagedError at the first image that is not whole, or whose files are not those that were written.
    """
    files: dict[str, bytes] = {}
    for name, data, end in _entries(content):
        key, _, extension = name.partition(".")
        if extension != RECORD:
            files[extension] = data
            continue
        try:
            record = json.loads(data)
            sound = record.pop("crc32") == {part: zlib.crc32(held) for part, held in files.items()}
        except (ValueError, KeyError, AttributeError) as error:
            raise DamagedError(f"the record of image {key} cannot be read") from error
        if not sound:
            raise DamagedError(f"the files of image {key} are not those that were written")
        yield Sample(key, record, files), end
        files = {}
    if files:
        raise DamagedError(f"image {key} has no record")


def _entry(name: str, data: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % BLOCK)


def _entries(content: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Name, data and end of each entry, up to the trailer or the end of the content."""
    begin = 0
    while begin < len(content) and content[begin : begin + BLOCK] != bytes(BLOCK):
        try:
            info = tarfile.TarInfo.frombuf(content[begin : begin + BLOCK], "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise DamagedError(f"no entry begins at byte {begin}") from error
        data = content[begin + BLOCK : begin + BLOCK + info.size]
        end = begin + BLOCK + info.size + -info.size % BLOCK
        if end > len(content):
            raise DamagedError(f"{info.name} ends early")
        yield info.name, data, end
        begin = end
