"""The pattern browser on a port of this machine, until it is interrupted."""

from collections.abc import Callable
from pathlib import Path

from apps.patterns.collection import Collection
from apps.patterns.discovery import Discovery
from apps.patterns.server import opened
from apps.serving import address, listening, run
from training.art.extractor import Extractor
from training.art.feature_store import FeatureStore
from training.art.whole_collection import JOURNALS, CollectionConfig


def serve(
    folder: Path, store: FeatureStore, extractor: Extractor, port: int, told: Callable[[str], None], base: str = "",
    config: CollectionConfig | None = None,
) -> None:
    """Serve a folder's pictures. port: 0 takes any that is free; told: called with the page's address once it is there;
    config: for repeated details.

    Raises BlockworldError where the folder cannot be read, or the port is taken.
    """
    collection = Collection(folder, store, extractor)
    discovery = Discovery(collection, store.folder / JOURNALS, config)
    with listening(port) as bound, opened(collection, discovery, base) as app:
        told(address(bound))
        run(app, bound)
