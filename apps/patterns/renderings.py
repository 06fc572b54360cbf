"""Pictures as a page shows them, JPEG: made when they are asked for, and kept as far as memory is meant for it."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from training.art.boxes import Box
from training.art.panels import CONTEXT, as_jpeg, cut_out, reduced
from training.art.pictures import Picture, read_picture

THUMBNAIL_PX, VIEW_PX, PART_PX = 260, 1600, 320
MOST_BYTES = 128 * 1024 * 1024
MOST_PICTURES = 4
"""Decoded ones that are kept, since a page asks for several parts of one."""


class Renderings:
    """By the identifier of their picture."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._bytes = 0
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._lock, self._reading = Lock(), Lock()

    def thumbnail(self, key: str, path: Path) -> bytes:
        """All of it, small. Raises ImageError where the file can no longer be read, as all of these do."""
        return self._get((key, "thumbnail"), lambda: as_jpeg(reduced(self._picture(key, path), THUMBNAIL_PX), 80))

    def view(self, key: str, path: Path) -> bytes:
        """All of it, as large as a screen."""
        return self._get((key, "view"), lambda: as_jpeg(reduced(self._picture(key, path), VIEW_PX)))

    def part(self, key: str, path: Path, box: Box, framed: bool) -> bytes:
        """A box of it; framed: with some of what is around it."""
        context = CONTEXT if framed else 0.0
        return self._get(
            (key, box, framed), lambda: as_jpeg(cut_out(self._picture(key, path), box, PART_PX, context))
        )

    def _get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        content = make()
        with self._lock:
            if key not in self._made:
                self._made[key] = content
                self._bytes += len(content)
            while self._bytes > MOST_BYTES:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return content

    def _picture(self, key: str, path: Path) -> Picture:
        with self._reading:  # one at a time, since each may take hundreds of megabytes
            if key not in self._pictures:
                self._pictures[key] = read_picture(path)
                if len(self._pictures) > MOST_PICTURES:
                    self._pictures.popitem(last=False)
            self._pictures.move_to_end(key)
            return self._pictures[key]
