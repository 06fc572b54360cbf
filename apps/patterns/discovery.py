"""Repeated details looked for in the background: begun and stopped from the page, which shows those found so far."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Literal

from apps.patterns.collection import Collection
from perception.errors import BlockworldError
from training.art.clusters import Cluster
from training.art.features import Features
from training.art.mining import details_so_far
from training.art.shortlist import FeaturesByKey
from training.art.whole_collection import CollectionConfig, Work

State = Literal["not begun", "waiting", "running", "done", "stopped", "failed"]
WAIT_S = 0.2


class _StoppedError(Exception):
    """The page has asked to stop."""


@dataclass(frozen=True)
class _UntilStopped:
    """Features for as long as nobody stops."""

    features: FeaturesByKey
    stop: Event

    def __getitem__(self, key: str) -> Features:
        if self.stop.is_set():
            raise _StoppedError
        return self.features[key]


@dataclass(frozen=True)
class Standing:
    """How far it is."""

    state: State
    done: int
    pictures: int
    """That are compared with others."""
    failure: str | None


class Discovery:
    """Of one collection; what was compared is kept in a folder, and not compared again."""

    def __init__(self, collection: Collection, folder: Path, config: CollectionConfig | None = None) -> None:
        self.collection, self._folder, self._config = collection, folder, config
        self._state: State = "not begun"
        self._failure: str | None = None
        self._work: Work | None = None
        self._stop, self._lock = Event(), Lock()
        self._thread: Thread | None = None
        self._known: tuple[int, list[Cluster]] = (0, [])

    def begin(self) -> None:
        """Begin, or go on; nothing where it is running."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop.clear()
            self._state, self._failure = "waiting", None
            self._thread = Thread(target=self._run, name="discovery", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop after the pair in hand, and wait for that."""
        self._stop.set()
        with self._lock:
            if self._thread is not None:
                self._thread.join()

    def standing(self) -> Standing:
        """How far it is."""
        done, pictures = self._work.compared() if self._work else (0, 0)
        return Standing(self._state, min(done, pictures), pictures, self._failure)

    def clusters(self) -> list[Cluster]:
        """Those of what was found so far."""
        work = self._work
        if work is None:
            return []
        done, _ = work.compared()
        if done != self._known[0]:
            self._known = done, work.clusters(details_so_far(work.journal))
        return self._known[1]

    def _run(self) -> None:
        try:
            while not self.collection.wait(WAIT_S):
                if self._stop.is_set():
                    raise _StoppedError
            self._state = "running"
            features = _UntilStopped(self.collection.gallery.features, self._stop)
            self._work = Work.of(self.collection.gallery, self._folder, self._config)
            self._work.details(features)
            self._state = "done"
        except _StoppedError:
            self._state = "stopped"
        except BlockworldError as error:
            self._state, self._failure = "failed", str(error)
        except Exception as error:  # a thread's would be seen by nobody
            self._state, self._failure = "failed", f"this is an error of the program: {error!r}"
            raise
