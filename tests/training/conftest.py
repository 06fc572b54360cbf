"""A data set small enough to train on within seconds."""

import pytest

from sim.dataset import DatasetConfig, build


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """Folder of 24 fine images of 64 x 64 px."""
    folder = tmp_path_factory.mktemp("fine")
    config = DatasetConfig(
        task="fine",
        renderer="tiny",
        preset="lab",
        seed=7,
        scenes=12,
        views=2,
        width=64,
        height=64,
        shard_scenes=6,
    )
    assert sum(build(config, folder)) == 24
    return folder
