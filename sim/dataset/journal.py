"""One shard on its way to the disk: a `.part` file that grows by whole scenes and takes its name when it is complete.

What a process wrote before it was killed stays: the next one keeps every whole scene and cuts off the rest.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.dataset.tar import TRAILER, DamagedError, key_of, samples


class DiskFullError(OSError):
    """There is no room left on the disk; what was written before stays valid."""

    def __str__(self) -> str:
        return str(self.strerror)


def no_room(error: OSError) -> bool:
    """The disk, or the user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class Journal:
    """The shard `path` of those scenes with so many views each, as far as it is written; `next` is the scene that it
    waits for."""

    def __init__(self, path: Path, scenes: range, views: int) -> None:
        self._path, self._part = path, part_of(path)
        self._stop = scenes.stop
        self._file = os.open(self._part, os.O_RDWR | os.O_CREAT, 0o644)
        count, self._end = whole_scenes(self._part.read_bytes(), scenes.start, views)
        self.next = scenes.start + count
        os.ftruncate(self._file, self._end)

    @property
    def complete(self) -> bool:
        """All scenes are there."""
        return self.next == self._stop

    def append(self, scene: int, data: bytes) -> None:
        """Add the entries of a scene, all of them or none. Raises OSError, and ValueError unless it is the next."""
        if scene != self.next:
            raise ValueError(f"{self._path.name} waits for scene {self.next}, not {scene}")
        self._write(data)
        self.next += 1

    def finish(self) -> None:
        """Give the complete shard its name; only then it counts as whole. Raises OSError."""
        self._write(TRAILER)
        with self._undone():
            os.fsync(self._file)
        self.close()
        self._part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Stop here; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        with self._undone():
            while rest:
                rest = rest[os.pwrite(self._file, rest, self._end + len(data) - len(rest)) :]
        self._end += len(data)

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Cuts off what could not be written whole."""
        try:
            yield
        except OSError:
            os.ftruncate(self._file, self._end)
            raise


def part_of(path: Path) -> Path:
    """Where a shard grows."""
    return path.with_suffix(".tar.part")


def whole_scenes(content: bytes, first: int, views: int) -> tuple[int, int]:
    """How many scenes from `first` on a tar holds without gap or damage, and where the last of them ends."""
    scenes, kept, view = 0, 0, 0
    try:
        for sample, end in samples(content):
            if sample.key != key_of(first + scenes, view):
                break
            view += 1
            if view == views:
                scenes, kept, view = scenes + 1, end, 0
    except DamagedError:
        pass
    return scenes, kept
