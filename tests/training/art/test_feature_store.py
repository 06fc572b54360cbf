"""Features on disk are those that were kept, or none."""

import os

import numpy as np
import pytest

from perception.errors import BlockworldError
from training.art import feature_store
from training.art.extractor import shapes
from training.art.feature_store import FeatureStore
from training.art.features import Features

DIGEST = "ab" + 62 * "0"


def features(seed=0, size=(300, 70), channels=8):
    rng = np.random.default_rng(seed)
    return Features(size, tuple(rng.normal(size=(*grid, channels)).astype(np.float16) for grid in shapes(size)))


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "cache", "key")


def test_what_is_kept_comes_back_mapped_into_memory(store):
    store.put(DIGEST, features())
    found = FeatureStore(store.folder, "key")[DIGEST]
    assert found.size == (300, 70) and DIGEST in store and store.digests() == {DIGEST}
    for grid, wanted in zip(found.grids, features().grids, strict=True):
        assert isinstance(grid, np.memmap)
        np.testing.assert_array_equal(grid, wanted)


def test_who_writes_to_features_that_were_read_does_not_change_the_file(store):
    store.put(DIGEST, features())
    store[DIGEST].grids[0][:] = 0
    np.testing.assert_array_equal(store[DIGEST].grids[0], features().grids[0])


def test_what_was_not_kept_is_not_there(store):
    assert DIGEST not in store and store.digests() == set() and store.network() is None
    with pytest.raises(KeyError):
        store[DIGEST]


@pytest.mark.parametrize("damage", ["cut", "header", "empty", "other"])
def test_a_damaged_file_counts_as_none(store, damage):
    store.put(DIGEST, features())
    (path,) = store.folder.glob("??/*.features")
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-2], "header": whole[:10], "empty": b"", "other": b"x" + whole[1:]}[damage])
    assert DIGEST not in store
    with pytest.raises(KeyError):
        store[DIGEST]
    store.put(DIGEST, features())
    assert DIGEST in store


def test_an_interrupted_write_leaves_what_was_there(store, monkeypatch):
    store.put(DIGEST, features(0))
    with monkeypatch.context() as patch:
        patch.setattr(feature_store.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(BlockworldError, match=r"cannot write to the cache .* \(No space left\): name a folder"):
            store.put(DIGEST, features(1))
    np.testing.assert_array_equal(store[DIGEST].grids[0], features(0).grids[0])
    assert len(list(store.folder.rglob("*"))) == 3  # the description, one folder, one file


def test_what_a_killed_run_began_is_swept_up_later_and_never_read(store):
    store.put(DIGEST, features())
    (path,) = store.folder.glob("??/*.features")
    begun = path.with_name(f"{path.name}.123.part")
    begun.write_bytes(b"half")
    assert FeatureStore(store.folder, "key").digests() == {DIGEST} and begun.exists()  # it may be another run's
    os.utime(begun, (0, 0))
    assert FeatureStore(store.folder, "key").digests() == {DIGEST} and not begun.exists()


def test_features_of_another_network_are_refused(store):
    with pytest.raises(BlockworldError, match="another network or engine made: name another folder"):
        FeatureStore(store.folder, "other")


@pytest.mark.parametrize("content", ["{}", "[", "[1]", '"key"'])
def test_a_damaged_description_is_refused(store, content):
    (store.folder / "features.json").write_text(content)
    with pytest.raises(BlockworldError, match="another network or engine made"):
        FeatureStore(store.folder, "key")


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(BlockworldError, match="holds something else than features: name an empty folder"):
        FeatureStore(tmp_path, "key")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BlockworldError, match="cannot write to the cache"):
        FeatureStore(tmp_path / "file" / "cache", "key")


def test_a_network_is_kept_and_a_damaged_one_is_none(store):
    store.keep_network(b"a network\nof two lines")
    assert store.network() == b"a network\nof two lines"
    path = store.folder / "network.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    assert store.network() is None
