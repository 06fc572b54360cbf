"""Recipes build the data sets that they need."""

import pytest

from sim.dataset import DatasetConfig, build, present_images, read_config
from training.localization import data_sets
from training.localization.data_sets import build_missing

CONFIG = """
task: fine
renderer: tiny
preset: lab
seed: 5
scenes: 2
views: 1
width: 64
height: 64
"""


@pytest.fixture(autouse=True)
def configurations(tmp_path, monkeypatch):
    folder = tmp_path / "datasets"
    folder.mkdir()
    (folder / "small.yaml").write_text(CONFIG)
    monkeypatch.setattr(data_sets, "FOLDER", folder)


def test_what_is_missing_is_built_once(tmp_path):
    out = tmp_path / "small"
    build_missing([out])
    config = read_config(out)
    assert present_images(config, out) == config.images == 2
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    build_missing([out])
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")} == before


def test_a_data_set_of_one_s_own_is_used_as_it_is(tmp_path):
    own = tmp_path / "small"
    config = DatasetConfig(task="fine", renderer="tiny", preset="lab", seed=6, scenes=1, width=64, height=64)
    assert sum(build(config, own)) == 3
    build_missing([own])
    assert read_config(own).seed == 6 and len(list(own.glob("*.tar"))) == 1


def test_what_cannot_be_built_is_told_before_anything_is(tmp_path):
    with pytest.raises(ValueError, match="other holds no data set"):
        build_missing([tmp_path / "small", tmp_path / "other"])
    assert not (tmp_path / "small").exists()
