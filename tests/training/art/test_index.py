"""A folder is indexed picture by picture: nothing is done twice, and nothing that goes wrong stops it."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from fixtures_art import scan

from training.art.extractor import shapes
from training.art.feature_store import FeatureStore
from training.art.features import Features
from training.art.index import index_folder
from training.art.pictures import read_picture


class Counting:
    """Makes small features of the mean colour, and counts."""

    def __init__(self):
        self.made = 0

    def features(self, picture):
        self.made += 1
        grids = (np.full((*grid, 3), picture.rgb.mean(axis=(0, 1)), np.float16) for grid in shapes(picture.size))
        return Features(picture.size, tuple(grids))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    made.mkdir()
    for number in range(4):
        scan(number).save(made / f"{number}.png")
    return made


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "cache", "key")


def test_what_was_indexed_is_not_made_again_under_any_name(folder, store):
    extractor = Counting()
    first = index_folder(folder, store, extractor)
    assert (len(first.pictures), first.made, extractor.made) == (4, 4, 4)
    (folder / "0.png").rename(folder / "renamed.png")
    scan(9).save(folder / "new.png")
    second = index_folder(folder, store, extractor)
    assert (len(second.pictures), second.made, extractor.made) == (5, 1, 5)
    assert [one.path.name for one in second.pictures] == ["1.png", "2.png", "3.png", "new.png", "renamed.png"]


def test_duplicates_are_told_and_indexed_once(folder, store):
    shutil.copy(folder / "1.png", folder / "again.png")
    found = index_folder(folder, store, extractor := Counting())
    assert extractor.made == 4
    assert [(one.path.name, one.of.name) for one in found.duplicates] == [("again.png", "1.png")]


def test_bad_files_are_told_and_the_others_indexed(folder, store):
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no picture")
    content = (folder / "2.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) - 40])
    found = index_folder(folder, store, Counting())
    assert len(found.pictures) == found.made == 4
    assert {one.path.name for one in found.problems} == {"empty.jpg", "text.jpg", "cut.png"}
    assert all(one.sentence.endswith(".") and str(one.path) in one.sentence for one in found.problems)


def test_kept_features_are_the_computed_ones(tmp_path, store, extractor):
    scans = tmp_path / "scans"
    scans.mkdir()
    scan(1, 320, 32).save(scans / "long.png")
    (one,) = index_folder(scans, store, extractor).pictures
    wanted = extractor.features(read_picture(one.path))
    for grid, other in zip(store[one.digest].grids, wanted.grids, strict=True):
        np.testing.assert_array_equal(grid, other)


SLOW = """
import sys, time
from pathlib import Path
from test_index import Counting
from training.art.feature_store import FeatureStore
from training.art.index import index_folder

class Slow(Counting):
    def features(self, picture):
        time.sleep(0.05)
        print("made", flush=True)
        return super().features(picture)

index_folder(Path(sys.argv[1]), FeatureStore(Path(sys.argv[2]), "key"), Slow())
"""


def test_a_killed_run_loses_at_most_the_picture_in_hand(folder, store):
    for number in range(4, 60):
        scan(number).save(folder / f"{number}.png")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SLOW, folder, store.folder]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + 60
        while len(store.digests()) < 5 and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        begun = len(run.stdout.readlines())
    kept = store.digests()
    assert 5 <= len(kept) < 60 and all(digest in store for digest in kept)
    assert begun - 1 <= len(kept) <= begun
    found = index_folder(folder, store, Counting())
    assert (len(found.pictures), found.made) == (60, 60 - len(kept))
