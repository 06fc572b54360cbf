"""A collection is looked through as a whole: few pictures one by one, many by way of an index."""

import pytest
from fixtures_art_features import box_of, detail, picture, placed

from perception.errors import BlockworldError
from training.art import gallery as module
from training.art.boxes import overlap
from training.art.gallery import Gallery
from training.art.regions import Region
from training.art.whole_collection import CollectionConfig, Work

SIZE, SCALES = (800, 450), (49, 36, 20)
PLACES = [placed((0.3, 0.45), (0.3, 0.55)), placed((0.6, 0.5), (0.25, 0.45)), placed((0.65, 0.45), (0.3, 0.6), 8.0)]


@pytest.fixture(scope="module")
def features():
    """The same detail in three pictures; four others."""
    copied = detail(5)
    made = {f"x{seed}": picture(seed, ((copied, place),), 0.4, scales=SCALES) for seed, place in enumerate(PLACES)}
    return made | {f"z{number}": picture(900 + number, scales=SCALES) for number in range(4)}


@pytest.fixture
def gallery(features):
    made = Gallery(features)
    for key in features:
        made.add(key)
    return made


@pytest.mark.parametrize("exhaustive", [100, 3])
def test_a_box_is_found_one_by_one_and_by_way_of_an_index(gallery, features, monkeypatch, exhaustive):
    monkeypatch.setattr(module, "EXHAUSTIVE", exhaustive)
    monkeypatch.setattr(module, "LIKELY", 4)
    found = gallery.search(Region.of(features["x0"], box_of(PLACES[0], SIZE)), "x0")
    assert [one.picture for one in found[:2]] in ([1, 2], [2, 1])
    for one in found[:2]:
        assert overlap(one.box, box_of(PLACES[one.picture], SIZE)) > 0.5


def test_what_was_asked_for_is_not_among_what_is_found(gallery, features):
    box = box_of(PLACES[0], SIZE)
    region = Region.of(features["x0"], box)
    assert any(one.picture == 0 and overlap(one.box, box) > 0.9 for one in gallery.search(region))
    assert not any(one.picture == 0 and overlap(one.box, box) > 0.3 for one in gallery.search(region, "x0"))


def test_a_picture_that_comes_later_is_found_too(features, monkeypatch):
    monkeypatch.setattr(module, "EXHAUSTIVE", 2)
    growing, region = Gallery(features), Region.of(features["x0"], box_of(PLACES[0], SIZE))
    for key in ("z0", "z1", "x1"):
        growing.add(key)
    assert growing.search(region)[0].picture == 2
    growing.add("x2")
    growing.catch_up()
    assert {one.picture for one in growing.search(region)[:2]} == {2, 3}


@pytest.mark.parametrize("most_tiled", [300, 3])
def test_of_many_pictures_the_nearest_are_paired(gallery, monkeypatch, most_tiled):
    monkeypatch.setattr(module, "MOST_TILED", most_tiled)
    assert len(gallery.pairs(6)) == 21
    pairs = gallery.pairs(2)
    assert len(pairs) < 21 and {(0, 1), (0, 2), (1, 2)} <= set(pairs)


def test_features_that_vanished_are_told(features):
    broken = Gallery(features)
    broken.add("nowhere")
    with pytest.raises(BlockworldError, match="index the folder again"):
        broken.search(Region.of(features["x0"], (0, 0, 90, 90)))


def test_what_was_compared_is_not_compared_again(gallery, features, tmp_path):
    config = CollectionConfig(least_score=0.04)
    work = Work.of(gallery, tmp_path / "journals", config)
    assert work.compared() == (0, 6)
    details = work.details(features)
    assert work.compared() == (6, 6)
    (cluster,) = work.clusters(details)
    assert cluster.pictures == {"x0", "x1", "x2"}
    again = Work.of(gallery, tmp_path / "journals", config)
    assert again.journal == work.journal
    assert again.details({}) == details  # without a look at any features
    assert Work.of(gallery, tmp_path / "journals", CollectionConfig(neighbours=2)).journal != work.journal

