"""Whether a JPEG is decoded strip by strip, or has to be held in memory whole (ITU-T T.81, annex B)."""

from typing import BinaryIO

_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = {0xC0, 0xC1}
_SCAN, _MOST_SEGMENTS = 0xDA, 10_000


def is_decoded_in_strips(file: BinaryIO) -> bool:
    """Whether its first scan has all its colours, once: then decoding takes memory for a strip. Progressive files, and
    those that hold one colour after the other, take two bytes for each pixel and colour, at any size.

    Read from where the file stands, as far as the first scan. What is no JPEG is not.
    """
    file.read(2)
    colours = None
    for _ in range(_MOST_SEGMENTS):
        marker = _next_marker(file)
        if marker is None:
            return False
        if marker in _ALONE:
            continue
        length = int.from_bytes(file.read(2), "big") - 2
        if length < 1:
            return False
        if marker == _SCAN:
            return colours is not None and file.read(1) == colours
        if marker in _FRAMES:
            frame = file.read(length)
            if marker not in _SEQUENTIAL or len(frame) < 6:
                return False
            colours = frame[5:6]
        else:
            file.seek(length, 1)
    return False


def _next_marker(file: BinaryIO) -> int | None:
    byte = file.read(1)
    if byte != b"\xff":
        return None
    while byte == b"\xff":
        byte = file.read(1)
    return byte[0] if byte else None
