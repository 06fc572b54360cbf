"""A coarse index is made once: what is kept answers the same, and what is damaged or stale counts as none."""

import json
import warnings

import numpy as np
import pytest
from fixtures_art_features import box_of, detail, picture, placed

from training.art import gallery as module
from training.art.coarse import CoarseConfig, CoarseIndex
from training.art.coarse_file import CoarseFile
from training.art.gallery import Gallery
from training.art.regions import Region

HERE = placed((0.3, 0.45), (0.3, 0.55))
SCALES = (49, 20)
KEYS = [f"k{number}" for number in range(20)]


@pytest.fixture(scope="module")
def features():
    """Lying, upright and square ones; the first two have a detail in common."""
    copied = detail(5)
    made = [picture(seed, ((copied, HERE),), scales=SCALES) for seed in range(2)]
    sizes = [(800, 450), (450, 800), (600, 600)]
    made += [picture(seed, scales=SCALES, size=sizes[seed % 3]) for seed in range(2, 20)]
    return dict(zip(KEYS, made, strict=True))


@pytest.fixture(scope="module")
def index(features):
    """Of all."""
    made = CoarseIndex.learned([features["k0"], features["k3"]])
    for one in features.values():
        made.add(one)
    return made


@pytest.fixture
def kept(tmp_path, index):
    """A file with it."""
    file = CoarseFile(tmp_path / "coarse" / "a.coarse", "making")
    file.write(index, KEYS)
    return file


def test_what_is_read_back_answers_the_same_and_grows(kept, index, features):
    found, keys = kept.read()
    assert keys == KEYS
    region = Region.of(features["k0"], box_of(HERE, (800, 450)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(found.scores(region), index.scores(region))
    assert found.add(features["k1"]) == len(KEYS)
    assert found.scores(region)[-1] == index.scores(region)[1]


def test_some_pictures_of_an_index_in_another_order_keep_their_scores(index, features):
    region = Region.of(features["k1"], (100, 100, 200, 200))
    order = [7, 0, 19, 3]
    some = index.selected(order)
    np.testing.assert_array_equal(some.scores(region), index.scores(region)[order])
    assert some.add(features["k2"]) == 4 and len(some) == 5


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "of something else", "gone"])
def test_a_damaged_file_counts_as_none(kept, damage):
    content = kept.path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    made = {"cut": content[:-1], "changed": flipped, "emptied": b"", "of something else": b"abc\ndef\n"}
    if damage == "gone":
        kept.path.unlink()
    else:
        kept.path.write_bytes(made[damage])
    assert kept.read() is None


def test_one_of_other_features_or_settings_counts_as_none(kept):
    assert CoarseFile(kept.path, "another making").read() is None
    assert kept.read(CoarseConfig(dimensions=32)) is None


def gallery_of(features, keys, kept, monkeypatch):
    monkeypatch.setattr(module, "EXHAUSTIVE", 8)
    monkeypatch.setattr(module, "LIKELY", 3)
    made = Gallery(features, kept)
    for key in keys:
        made.add(key)
    return made


class Counting:
    """Features, counted as they are asked for."""

    def __init__(self, features):
        self.features, self.asked = features, []

    def __getitem__(self, key):
        self.asked.append(key)
        return self.features[key]


def test_a_collection_is_asked_for_what_its_index_lacks_alone(kept, features, monkeypatch):
    region = Region.of(features["k0"], box_of(HERE, (800, 450)))
    first = gallery_of(features, KEYS[:-1], CoarseFile(kept.path.with_name("new"), "making"), monkeypatch)
    best = first.search(region, "k0")[0]
    first.keep()
    counting = Counting(features)
    # Renamed, so that they come in another order; one is new, and one gone.
    order = [*reversed(KEYS[1:-2]), "k19", "k0"]
    again = gallery_of(counting, order, CoarseFile(kept.path.with_name("new"), "making"), monkeypatch)
    again.catch_up()
    assert counting.asked == ["k19"]
    found = again.search(region, "k0")[0]
    assert again.keys[found.picture] == "k1" and found.score == pytest.approx(best.score)
    again.keep()
    kept_keys = CoarseFile(kept.path.with_name("new"), "making").read()[1]
    assert set(kept_keys) == set(order)


def test_an_index_of_other_pictures_is_made_anew(kept, features, monkeypatch):
    others = {f"n{number}": picture(500 + number, scales=SCALES) for number in range(12)}
    made = gallery_of(others, others, kept, monkeypatch)
    made.catch_up()
    made.keep()
    assert set(kept.read()[1]) == set(others)


def test_the_file_holds_nothing_but_text_and_numbers(kept):
    head = kept.path.read_bytes().split(b"\n", 2)[1]
    assert json.loads(head)["keys"] == KEYS
