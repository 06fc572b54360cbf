"""The pattern browser is of use while pictures are still being indexed, and ends when it is told to."""

import threading

import pytest
from fixtures_art_painted import PixelExtractor, painted_folder, ship_box
from starlette.testclient import TestClient

from apps.patterns.collection import Collection
from apps.patterns.discovery import Discovery
from apps.patterns.server import opened
from training.art.feature_store import FeatureStore

PATIENCE_S = 60


class Halting(PixelExtractor):
    """Waits before the fourth picture until it is let go on."""

    def __init__(self):
        super().__init__()
        self.seen, self.there, self.on = 0, threading.Event(), threading.Event()

    def features(self, picture):
        self.seen += 1
        if self.seen == 4:
            self.there.set()
            self.on.wait(PATIENCE_S)
        return super().features(picture)


@pytest.fixture
def halting(tmp_path):
    """A client, its collection, and what makes features: three pictures of five are indexed."""
    scans = painted_folder(tmp_path / "scans")
    extractor = Halting()
    collection = Collection(scans, FeatureStore(tmp_path / "cache", extractor.key), extractor)
    with opened(collection, Discovery(collection, tmp_path / "journals")) as app:
        assert extractor.there.wait(PATIENCE_S)
        yield TestClient(app, base_url="http://127.0.0.1"), collection, extractor
        extractor.on.set()


def test_what_is_indexed_so_far_is_searched(halting):
    client, collection, extractor = halting
    state = client.get("/api/state").json()["indexing"]
    assert not state["finished"] and state["done"] == 3 and state["files"] == 5
    ids = {one["name"]: one["id"] for one in client.get("/api/pictures").json()}
    assert set(ids) == {"evening.png", "harbour.png", "hills.png"}
    asked = {"picture": ids["harbour.png"], "box": ship_box("harbour.png")}
    found = client.post("/api/search", json=asked).json()
    assert not found["finished"] and found["searched"] == 3
    assert found["results"][0]["picture"]["name"] == "evening.png"
    extractor.on.set()
    assert collection.wait(PATIENCE_S)
    found = client.post("/api/search", json=asked).json()
    assert found["finished"] and found["results"][0]["picture"]["name"] == "storm.png"


def test_discovery_waits_for_the_index_and_can_be_stopped(halting):
    client, _, _ = halting
    assert client.post("/api/discovery").json()["state"] in ("waiting", "running")
    assert client.delete("/api/discovery").json()["state"] == "stopped"
