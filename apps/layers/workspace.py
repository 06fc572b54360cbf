"""The document that is open, and another that is being opened in the background: found, and its masks computed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.layers.document import Document
from perception.errors import BlockworldError
from perception.layers.decompose import EFFORTS, decompose
from perception.layers.files import network_of
from perception.layers.layer import Decomposition
from perception.layers.network import LayersNetwork
from perception.layers.picture import Rgba

LONGEST_WAIT_S = 10.0


@dataclass(frozen=True)
class Settings:
    """How pictures are decomposed; see `perception.layers.decompose.decompose`. model: name of the network. longer:
    side of masks, px."""

    model: str = "layers_flat"
    layers: int | None = None
    effort: str = "good"
    least_gain: float = 0.0
    longer: int | None = None
    finish: Callable[[LayersNetwork, Decomposition], Decomposition] = lambda _, made: made
    """What is done to what was found, as to give it few colours."""


class _Superseded(Exception):
    """Another document is asked for."""


class Workspace:
    """networks: opens one by its name. save: writes a project's content where the document came from, if anywhere."""

    def __init__(
        self, networks: Callable[[str], LayersNetwork], settings: Settings, save: Callable[[bytes], None] | None = None
    ) -> None:
        self.settings, self.save = settings, save
        self.document: Document | None = None
        self._networks, self._known = networks, dict[str, LayersNetwork]()
        self._lock, self._current = threading.Lock(), 0
        self._thread: threading.Thread | None = None
        self._working: dict[str, Any] | None = None
        self._failure: str | None = None

    def open_picture(self, name: str, picture: Rgba, saves: bool = False) -> None:
        """Decompose (H, W, 4) in the background. Raises BundleError where the network is not there."""
        network, settings = self._network(self.settings.model), self.settings

        def found(number: int) -> Document:
            made = decompose(
                network, picture, settings.layers, EFFORTS[settings.effort], settings.least_gain,
                lambda share: self._tell(number, name, "layers", share),
            )  # fmt: skip
            return Document(name, settings.finish(network, made), network, settings.longer, saves)

        self._begin(name, found)

    def open_project(self, name: str, made: Decomposition, saves: bool = False) -> None:
        """Open what was saved, its masks in the background. Raises LayersError or BundleError where its network is not
        there, or another one."""
        network = network_of(made, name, self._network)
        self._begin(name, lambda _: Document(name, made, network, self.settings.longer, saves))

    def state(self) -> dict[str, Any]:
        """For the page."""
        with self._lock:
            document = None if self.document is None else self.document.shown()
            return {"document": document, "working": self._working, "failure": self._failure}

    def wait(self, seconds: float) -> bool:
        """Whether all is there by then."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._working is None

    def close(self) -> None:
        """Stop what is being done."""
        with self._lock:
            self._current += 1
        self.wait(LONGEST_WAIT_S)

    def _network(self, name: str) -> LayersNetwork:
        if name not in self._known:
            self._known[name] = self._networks(name)
        return self._known[name]

    def _begin(self, name: str, made: Callable[[int], Document]) -> None:
        with self._lock:
            self._current += 1
            number = self._current
            self._working, self._failure = {"name": name, "what": "layers", "share": 0.0}, None
            self._thread = threading.Thread(target=self._work, args=(number, name, made, self._thread), daemon=True)
            self._thread.start()

    def _work(
        self, number: int, name: str, made: Callable[[int], Document], before: threading.Thread | None
    ) -> None:
        if before is not None:
            before.join()  # which ends at its next step
        try:
            failure = self._tried(name, lambda: self._put(number, name, made))
            document = self.document  # where that failed, the one before, which may have been interrupted
            if document is not None:
                failure = self._tried(document.name, lambda: self._add_masks(number, document)) or failure
        except _Superseded:
            return
        with self._lock:
            if number == self._current:
                self._working, self._failure = None, failure

    def _tried(self, name: str, work: Callable[[], None]) -> str | None:
        """What went wrong, if anything, as the page is to tell it."""
        try:
            work()
        except _Superseded:
            raise
        except BlockworldError as error:
            return str(error)
        except Exception as error:  # whatever it is
            return f"{name} could not be opened ({type(error).__name__}): open another file."
        return None

    def _put(self, number: int, name: str, made: Callable[[int], Document]) -> None:
        self._tell(number, name, "layers", 0.0)
        document = made(number)
        self._tell(number, name, "masks", 0.0)
        with self._lock:
            self.document = document

    def _add_masks(self, number: int, document: Document) -> None:
        while len(document.masks) < document.count:
            document.add_mask()
            self._tell(number, document.name, "masks", len(document.masks) / document.count)

    def _tell(self, number: int, name: str, what: str, share: float) -> None:
        with self._lock:
            if number != self._current:
                raise _Superseded
            self._working = {"name": name, "what": what, "share": share}
