"""Pictures from elsewhere that a collection is asked about: few, and gone when the server stops."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from apps.patterns.collection import Collection, Entry
from perception.errors import ImageError
from perception.picture_folder import shown
from training.art.features import Features
from training.art.pictures import read_picture

MOST = 8
"""Of these the oldest makes room for another."""


@dataclass(frozen=True, eq=False)
class Guest:
    """One of them."""

    entry: Entry
    features: Features


class Guests:
    """Kept in a folder of their own, by identifier."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guests: OrderedDict[str, Guest] = OrderedDict()
        self._lock = Lock()

    @classmethod
    @contextmanager
    def kept(cls) -> Iterator["Guests"]:
        """In a temporary folder, for as long as this lasts."""
        with TemporaryDirectory(prefix="patterns-") as folder:
            yield cls(Path(folder))

    def __contains__(self, key: str) -> bool:
        return key in self._guests

    def __getitem__(self, key: str) -> Guest:
        """Raises KeyError where it is not, or no longer, there."""
        return self._guests[key]

    def add(self, content: bytes, collection: Collection) -> Entry:
        """Take in the bytes of a picture's file; one that the collection has is its own. Raises ImageError for bytes
        that are no picture that can be used."""
        key = hashlib.sha256(content).hexdigest()
        if key in collection.entries:
            return collection.entries[key]
        if key not in self._guests:
            path = self._folder / key
            path.write_bytes(content)
            try:
                picture = read_picture(path)
            except ImageError as error:
                path.unlink()
                raise ImageError(str(error).replace(shown(path), "this file"), error.kind) from error
            features = collection.extractor.features(picture)
            with self._lock:
                self._guests[key] = Guest(Entry(key, "a picture from elsewhere", path, picture.size), features)
                while len(self._guests) > MOST:
                    _, oldest = self._guests.popitem(last=False)
                    oldest.entry.path.unlink(missing_ok=True)
        return self._guests[key].entry
