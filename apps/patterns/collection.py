"""A collection while it is looked at: indexed in the background, searched with what there is so far.

Pictures have identifiers, the digests of their content: nothing that a page asks for is a path.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from perception.errors import BlockworldError
from perception.file_digests import FileDigests
from perception.folder_index import Index, Indexed
from perception.picture_folder import Duplicate, Found, Problem, picture_files, shown
from training.art.coarse_file import CoarseFile
from training.art.extractor import Extractor
from training.art.feature_store import FeatureStore
from training.art.features import Features
from training.art.gallery import Gallery
from training.art.index import indexed
from training.art.pictures import Picture


@dataclass(frozen=True)
class Entry:
    """A picture of the collection."""

    id: str
    name: str
    """Below the collection's folder."""
    path: Path
    size: tuple[int, int]
    """(width, height) px, upright."""


@dataclass(frozen=True)
class Progress:
    """How far indexing is."""

    done: int
    files: int
    finished: bool
    pictures: int
    duplicates: int
    problems: tuple[str, ...]
    failure: str | None
    """Why it stopped before its end."""


class OneAtATime(Extractor):
    """An extractor for several threads."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor, self._turn = extractor, Lock()
        self.engine, self.key = extractor.engine, extractor.key

    def features(self, picture: Picture) -> Features:
        """See `Extractor`."""
        with self._turn:
            return self._extractor.features(picture)


class Collection:
    """The pictures of a folder, by identifier."""

    def __init__(self, folder: Path, store: FeatureStore, extractor: Extractor) -> None:
        """Raises BlockworldError where the folder cannot be read."""
        self.folder = folder
        self.store, self.extractor = store, OneAtATime(extractor)
        self.gallery = Gallery(store, CoarseFile.of(store, folder))
        self.entries: dict[str, Entry] = {}
        self._root = folder.resolve()
        self._files, problems = picture_files(folder)
        self._index = Index(problems=problems)
        for path in [path for path in self._files if not self._inside(path)]:
            self._files.remove(path)
            self._index.problems.append(
                Problem(path, f"{shown(path)} is a link to a file outside the folder: copy that into it.")
            )
        self._done = 0
        self._failure: str | None = None
        self._stop, self._finished = Event(), Event()
        self._thread = Thread(target=self._run, name="indexing", daemon=True)

    @contextmanager
    def indexing(self) -> Iterator[None]:
        """Index in the background for as long as this lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    @property
    def names(self) -> list[str]:
        """Of the pictures, by number in the gallery."""
        return [self.entries[key].name for key in self.gallery.keys]

    def progress(self) -> Progress:
        """How far it is."""
        index = self._index
        return Progress(
            self._done, len(self._files), self._finished.is_set(), len(self.gallery), len(index.duplicates),
            tuple(one.sentence for one in index.problems), self._failure,
        )

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until all is indexed, or no more will be; returns whether that is so."""
        return self._finished.wait(timeout_s)

    def file(self, key: str) -> Path:
        """The file of a picture. Raises KeyError for another identifier, or where the file has become a link out of the
        folder."""
        path = self.entries[key].path
        if not self._inside(path):
            raise KeyError(key)
        return path

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):  # a link to itself
            return True  # a problem that is told when the file is opened

    def _run(self) -> None:
        known = FileDigests(self.store.folder, self.folder, self._files)
        try:
            for one in indexed(self._files, self.store, self.extractor, known.digest):
                self._take(one)
                self._done += 1
                if self._stop.is_set():
                    return
            self.gallery.keep()
        except BlockworldError as error:
            self._failure = str(error)
        finally:
            known.save()
            self._finished.set()

    def _take(self, one: Indexed | Duplicate | Problem) -> None:
        self._index.add(one)
        if isinstance(one, Indexed):
            entry = self._entry(one.picture)
            self.entries[entry.id] = entry  # first, since who finds a key in the gallery looks it up here
            self.gallery.add(entry.id)
            self.gallery.catch_up()

    def _entry(self, found: Found) -> Entry:
        name = shown(found.path.relative_to(self.folder))
        return Entry(found.digest, name, found.path, self.gallery.features[found.digest].size)
