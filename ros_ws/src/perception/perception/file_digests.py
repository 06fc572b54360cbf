"""What files have in them, as far as that is known: their SHA-256 by name, size, times and inode, so that a file that
did not change is not read again.

As git's index does, it does not trust a file that changed a moment before it was read: what is written next may leave
times and size as they are, where a clock is coarse. Such a file is read again the next time.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from perception.digest_store import write_whole
from perception.picture_folder import content_digest

FOLDER = "files"
"""Of the tables, in a cache of features."""
VERSION = 1
RACY_NS = 3_000_000_000
"""A file has to have been left alone for so long; FAT counts in two seconds."""
Stamp = tuple[int, int, int, int]
"""Size in bytes, times of the last changes of content and of all else in ns, inode."""


class FileDigests:
    """The digests of the files of one folder; several processes may have it open, of which the last one's table stays.

    It is right as long as the clocks of this machine and of the file system agree to within RACY_NS, and nobody sets
    the time of the last change of all else, which takes more than `touch`.
    """

    def __init__(self, cache: Path, folder: Path, files: Iterable[Path]) -> None:
        """cache: of features. files: those of the folder; what is known of others is forgotten.

        A table that is missing or damaged counts as an empty one.
        """
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
        self._table = cache / FOLDER / f"{name}.json"
        wanted = {_name(path) for path in files}
        self._known = {name: one for name, one in _read(self._table).items() if name in wanted}

    def digest(self, path: Path) -> str:
        """SHA-256 of a file's bytes, in hexadecimal digits; read only where that is not known. Raises ImageError as
        `content_digest` does."""
        name, before = _name(path), _stamp(path)
        stamp, digest = self._known.pop(name, (None, ""))
        if before is None or before != stamp:
            began = time.time_ns()
            digest = content_digest(path)
            if before is None or before != _stamp(path) or max(before[1:3]) > began - RACY_NS:
                return digest
        self._known[name] = (before, digest)
        return digest

    def save(self) -> None:
        """Write what is known, where that is possible: without it, files are read again."""
        text = json.dumps([VERSION, [[name, *stamp, digest] for name, (stamp, digest) in self._known.items()]])
        content = text.encode("ascii")
        with suppress(OSError):
            self._table.parent.mkdir(exist_ok=True)
            write_whole(self._table, [hashlib.sha256(content).hexdigest().encode(), b"\n", content])


def _name(path: Path) -> str:
    return str(path.absolute())


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _read(table: Path) -> dict[str, tuple[Stamp, str]]:
    with suppress(OSError, ValueError, TypeError):
        checksum, _, content = table.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() == checksum:
            version, files = json.loads(content)
            if version == VERSION:
                return {name: (tuple(stamp), digest) for name, *stamp, digest in files}
    return {}
