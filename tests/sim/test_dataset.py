"""Data sets have the same bytes however they were built, and are not mixed."""

import numpy as np
import pytest

from sim.dataset import DatasetConfig, build, read_config, read_shards, shard_path

CONFIG = DatasetConfig(task="fine", seed=3, scenes=5, views=2, width=48, height=48, shard_scenes=2)


def contents(folder) -> list[bytes]:
    return [shard_path(folder, shard).read_bytes() for shard in range(CONFIG.shards)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The data set built by one worker."""
    folder = tmp_path_factory.mktemp("one")
    assert sum(build(CONFIG, folder, workers=1)) == 10
    return folder


def test_the_number_of_workers_does_not_matter(built, tmp_path):
    assert sum(build(CONFIG, tmp_path, workers=2)) == 10
    assert contents(tmp_path) == contents(built)


def test_an_interrupted_build_goes_on_where_it_stopped(built, tmp_path):
    for path in built.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    shard_path(tmp_path, 1).unlink()
    kept = shard_path(tmp_path, 0).stat().st_mtime_ns
    assert list(build(CONFIG, tmp_path)) == [4], "only the shard that was missing"
    assert contents(tmp_path) == contents(built)
    assert shard_path(tmp_path, 0).stat().st_mtime_ns == kept
    assert list(build(CONFIG, tmp_path)) == []


def test_another_configuration_is_refused(built):
    other = CONFIG.model_copy(update={"seed": 4})
    with pytest.raises(ValueError, match="already holds another data set"):
        list(build(other, built))
    assert read_config(built) == CONFIG


def test_a_folder_without_a_data_set_says_how_to_build_one(tmp_path):
    with pytest.raises(ValueError, match="blockworld dataset build"):
        read_config(tmp_path)


def test_shards_hold_images_and_what_is_in_them(built):
    shards = list(read_shards(built))
    assert [len(shard["images"]) for shard in shards] == [4, 4, 2]
    first = shards[0]
    assert (first["images"].shape[1:], first["images"].dtype) == ((48, 48, 3), np.uint8)
    assert first["joints"].shape == (4, 9)
    assert first["hover"].all(), "the clamp hovers in close-ups"
    centres = first["points"][:, -2, 0]
    assert ((centres > 0) & (centres < 48)).all(), "the block is in the crop"
