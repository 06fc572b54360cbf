"""The index of regions names the pictures that share a detail, and is refused when it is damaged."""

import numpy as np
import pytest
from fixtures_art_features import detail, picture, placed

from perception.errors import BlockworldError, InputError
from training.art.region_index import FILES, RegionIndex, RegionIndexConfig, picture_windows, windows_of
from training.art.shortlist import build_index

SIZE = (800, 450)
HERE, THERE = placed((0.3, 0.45), (0.3, 0.55)), placed((0.65, 0.5), (0.27, 0.5))
SCALES = (49, 36, 20)


@pytest.fixture(scope="module")
def pictures():
    """Two with a detail in common among eight."""
    copied = detail(5)
    shared = [picture(number, ((copied, place),), scales=SCALES) for number, place in enumerate((HERE, THERE))]
    return shared + [picture(seed, scales=SCALES) for seed in range(20, 26)]


@pytest.fixture(scope="module")
def index(pictures):
    """Of all."""
    keys = [str(number) for number in range(len(pictures))]
    return build_index(keys, dict(zip(keys, pictures, strict=True)))


def test_a_window_is_the_mean_of_its_cells_and_lies_in_their_middle():
    grid = np.random.default_rng(0).normal(size=(9, 12, 8)).astype(np.float16)
    config = RegionIndexConfig(window=4, stride=2, margin=1)
    found = windows_of(grid, config)
    assert len(found.vectors) == 2 * 4
    np.testing.assert_allclose(found.vectors[5] / 16, grid[3:7, 3:7].astype(float).mean(axis=(0, 1)), atol=1e-3)
    np.testing.assert_allclose(found.places[5] * 12, [5, 5])


def test_a_grid_smaller_than_a_window_has_one(pictures):
    assert len(windows_of(pictures[0].grids[0][:2, :3], RegionIndexConfig()).vectors) == 1


def test_most_votes_go_to_the_picture_with_the_same_detail(index, pictures):
    for one, other in ((0, 1), (1, 0)):
        votes = index.votes(picture_windows(pictures[one], (49, 36), index.config), one)
        assert votes.argmax() == other
        assert votes[one] == 0


def test_what_is_saved_is_read_back_and_answers_the_same(index, pictures, tmp_path):
    index.save(tmp_path)
    again = RegionIndex.load(tmp_path)
    assert again.pictures == index.pictures
    windows = picture_windows(pictures[0], (36,), index.config)
    np.testing.assert_array_equal(again.votes(windows), index.votes(windows))
    again.add(pictures[2])
    assert again.pictures == index.pictures + 1


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"{}", b"PK\x03\x04"], ids=["missing", "empty", "braces", "archive"])
def test_a_damaged_index_is_refused(index, tmp_path, name, content):
    index.save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BlockworldError, match="make it anew"):
        RegionIndex.load(tmp_path)


def test_files_of_two_indices_do_not_go_together(index, pictures, tmp_path):
    index.save(tmp_path / "one")
    other = RegionIndex.learned(pictures[:2], 2)
    other.add(pictures[0])
    other.save(tmp_path / "two")
    (tmp_path / "two" / FILES[1]).replace(tmp_path / "one" / FILES[1])
    with pytest.raises(BlockworldError, match="do not belong together"):
        RegionIndex.load(tmp_path / "one")


def test_an_index_needs_pictures_to_learn_from_and_may_be_empty(pictures):
    with pytest.raises(InputError, match="given none"):
        RegionIndex.learned([], 0)
    empty = RegionIndex.learned(pictures[:1], 1)
    assert empty.votes(picture_windows(pictures[0], (36,), empty.config)).size == 0
