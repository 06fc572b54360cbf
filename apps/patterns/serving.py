"""The pattern browser on a port of this machine, until it is interrupted."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from apps.patterns.collection import Collection
from apps.patterns.discovery import Discovery
from apps.patterns.server import opened
from perception.errors import BlockworldError
from training.art.extractor import Extractor
from training.art.feature_store import FeatureStore
from training.art.whole_collection import JOURNALS, CollectionConfig

HOST = "127.0.0.1"
MOST_REQUESTS = 100
"""At once."""


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
    with _listening(port) as listening, opened(collection, discovery, base) as app:
        told(f"http://{HOST}:{listening.getsockname()[1]}/")
        served = uvicorn.Config(
            app, log_level="warning", lifespan="off", ws="none", server_header=False, limit_concurrency=MOST_REQUESTS,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(served).run([listening])


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise BlockworldError(f"port {port} is taken or not allowed: give another --port, or 0 for any.") from error
    return listening
