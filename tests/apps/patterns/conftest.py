"""The pattern browser over pictures that a program drew: as an application, and as a server on a port."""

import pytest
from fixtures_art_painted import painted_folder, painted_store
from fixtures_serving import running

from apps.patterns.collection import Collection
from apps.patterns.discovery import Discovery
from apps.patterns.server import opened
from training.art.whole_collection import CollectionConfig


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Five pictures, three of them with the same ship, and a file that is none."""
    folder = painted_folder(tmp_path_factory.mktemp("browsed") / "scans")
    (folder / "broken.jpg").write_text("no picture")
    (folder.parent / "secret.png").write_bytes((folder / "hills.png").read_bytes() + b"not for everyone")
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    return folder


@pytest.fixture(scope="module")
def collection(scans):
    return Collection(scans, *painted_store(scans.parent / "cache"))


@pytest.fixture(scope="module")
def application(collection, scans):
    """All of it, while it indexes."""
    config = CollectionConfig(least_score=0.03)
    discovery = Discovery(collection, scans.parent / "cache" / "discovery", config)
    with opened(collection, discovery, "https://museum.example/") as app:
        yield app


@pytest.fixture(scope="module")
def address(application):
    """Of a server on a free port."""
    with running(application) as found:
        yield found
