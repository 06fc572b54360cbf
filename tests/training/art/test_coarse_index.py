"""The coarse index puts the pictures first that full matching would find, for a small part of the work."""

import numpy as np
import pytest
from fixtures_art_features import box_of, detail, picture, placed

from perception.errors import InputError
from training.art import matching
from training.art.coarse import CoarseIndex
from training.art.regions import Region
from training.art.shortlist import shortlist_by_tiles

HERE = placed((0.3, 0.45), (0.3, 0.55))
SCALES = (74, 49, 36, 20)


@pytest.fixture(scope="module")
def pictures():
    """Of two sizes; the first three have a detail in common."""
    copied = detail(5)
    places = (HERE, placed((0.65, 0.5), (0.27, 0.5)), placed((0.6, 0.4), (0.33, 0.6)))
    shared = [picture(number, ((copied, place),), scales=SCALES) for number, place in enumerate(places)]
    others = [picture(seed, scales=SCALES, size=(600, 600) if seed % 2 else (800, 450)) for seed in range(20, 40)]
    return shared + others


@pytest.fixture(scope="module")
def index(pictures):
    """Of all."""
    made = CoarseIndex.learned(pictures[::4])
    assert [made.add(one) for one in pictures] == list(range(len(pictures)))
    return made


def test_pictures_with_the_detail_come_first(index, pictures):
    region = Region.of(pictures[0], box_of(HERE, (800, 450)))
    assert set(index.nearest(region, 2, 0)) == {1, 2}
    assert index.nearest(region, 1) == [0]


def test_other_arithmetic_gives_the_same_scores(index, pictures, monkeypatch):
    region = Region.of(pictures[0], box_of(HERE, (800, 450)))
    quick = index.scores(region)
    monkeypatch.setattr(matching, "multiplies_bytes", lambda: False)
    np.testing.assert_allclose(index.scores(region), quick, rtol=1e-6)


def test_a_box_of_any_size_has_a_score(index, pictures):
    for box in ((10, 10, 1, 1), (0, 0, 800, 20), (0, 0, 20, 450), (0, 0, 800, 450)):
        scores = index.scores(Region.of(pictures[0], box))
        assert np.isfinite(scores).all()
        assert scores.max() > 0


def test_an_index_needs_pictures_to_learn_from():
    with pytest.raises(InputError, match="given none"):
        CoarseIndex.learned([])


def test_a_shortlist_by_tiles_joins_the_pictures_with_the_detail(index, pictures):
    keys = [str(number) for number in range(len(pictures))]
    pairs = shortlist_by_tiles(keys, dict(zip(keys, pictures, strict=True)), index, 3)
    assert {(0, 1), (0, 2), (1, 2)} <= set(pairs)
    assert len(pairs) <= 3 * len(keys)
    assert pairs == sorted(set(pairs))


def test_tiles_cover_a_picture_and_know_their_boxes(pictures):
    tiles = Region.tiles(pictures[0], 36)
    assert len(tiles) == 15
    again = [Region.of(pictures[0], tile.box) for tile in tiles]
    for tile, other in zip(tiles, again, strict=True):
        np.testing.assert_array_equal(tile.grid, other.grid)
    assert min(tile.corner for tile in tiles) == (1, 1)
    assert len(Region.tiles(picture(1, scales=(3,), size=(40, 30)), 36)) == 1
