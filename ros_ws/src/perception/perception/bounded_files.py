"""Files that others wrote, read within limits: regular ones only, of no more bytes than they may have."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file, open for reading, and its size in bytes. Links are followed.

    Raises OSError where it cannot be opened or is no regular file: a pipe or a device could block, or never end.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        yield file, found.st_size


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """All of a file of at most most_bytes; raises OSError as `open_regular`, and for a larger one before reading it."""
    with open_regular(path) as (file, size):
        if size > most_bytes:
            raise OSError(errno.EFBIG, f"it has {size} bytes, more than the {most_bytes} that it may have", str(path))
        return file.read(size)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)  # to open a pipe that nobody writes to would be to wait
