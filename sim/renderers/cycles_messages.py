"""Messages between the `cycles` renderer and the process that has Blender: JSON and arrays, never code.

A message is the length of a JSON text and the text, then the length of an .npz archive and the archive; lengths are
unsigned 64-bit little-endian. Imports nothing but numpy and the standard library, since both sides use it.
"""

import io
import json
import struct
from typing import IO, Any

import numpy as np

LENGTH = struct.Struct("<Q")
Message = tuple[dict[str, Any], dict[str, np.ndarray]]


def send(pipe: IO[bytes], header: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> None:
    """Write one message and flush; raises OSError where the other side has gone."""
    text = json.dumps(header).encode()
    archive, named = io.BytesIO(), dict[str, Any](arrays or {})
    np.savez(archive, **named)
    body = archive.getbuffer()
    pipe.write(LENGTH.pack(len(text)) + text + LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Message:
    """Read one message; raises EOFError where the other side has gone."""
    header = json.loads(_read(pipe))
    with np.load(io.BytesIO(_read(pipe)), allow_pickle=False) as archive:
        return header, {name: archive[name] for name in archive.files}


def _read(pipe: IO[bytes]) -> bytes:
    (length,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    parts = []
    while count:
        part = pipe.read(count)
        if not part:
            raise EOFError("the other side has closed the pipe")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
