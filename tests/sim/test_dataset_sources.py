"""What scenes are drawn from: robots, presets and pictures may lie anywhere, and are looked at before anything is
written."""

import os
import pickle
import shutil

import cv2
import numpy as np
import pytest
import yaml
from fixtures_dataset import SMALL, changed
from fixtures_robot import write_toy

from perception.errors import BlockworldError
from sim.dataset import DatasetConfig, build, read_config, read_samples, shard_path
from sim.dataset.cluster import failure
from sim.dataset.contact_sheet import write_contact_sheet
from sim.dataset.export import export
from sim.dataset.studio import studio
from sim.dataset.work import Job
from sim.randomization import preset


def with_pictures(folder):
    """Scenes that show nothing but the user's pictures."""
    ranges = {"pictures": {"folder": str(folder), "share": 1.0}, "room": {"support_look": {"textured_share": 1.0}}}
    return changed(scenes=1, randomization=SMALL.randomization | ranges)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a.png", "more/b.jpg", "c.bmp", "d.webp")):
        picture = np.random.default_rng(number).integers(0, 255, (40, 50, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), picture)
    return folder


@pytest.fixture
def of_a_file(tmp_path, monkeypatch):
    """A data set whose preset is a file that was named from its own folder."""
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg" / "my.yaml").write_text("base: lab\nlight: {shadow_share: 0.0}\n")
    monkeypatch.chdir(tmp_path / "cfg")
    config = changed(preset="my.yaml", randomization={}, scenes=2, segmentation=True)
    list(build(config, tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    preset.cache_clear()  # as in a process that has not read the file
    studio.cache_clear()
    return config, tmp_path / "data"


def test_a_preset_in_a_file_is_found_from_any_folder(of_a_file):
    config, data = of_a_file
    assert read_config(data) == config
    assert read_config(data).preset == str(data.parent / "cfg" / "my.yaml")
    shard_path(data, 0).unlink()
    assert sum(build(read_config(data), data)) == 4


@pytest.mark.parametrize("content", [None, "light: 3\n", "\0"])
def test_images_are_read_without_the_file_that_their_scenes_were_drawn_from(of_a_file, content):
    config, data = of_a_file
    file = data.parent / "cfg" / "my.yaml"
    file.unlink() if content is None else file.write_text(content)
    assert read_config(data) == config
    assert len(list(read_samples(data))) == 4
    assert write_contact_sheet(data, data / "sheet.html", 10) == 4
    assert export(data, "coco", data.parent / "coco") == 4


def test_who_needs_the_file_is_told_in_a_sentence_that_it_is_gone(of_a_file):
    config, data = of_a_file
    (data.parent / "cfg" / "my.yaml").rename(data.parent / "moved.yaml")
    told = f"there is no preset or file '{config.preset}'"
    with pytest.raises(ValueError, match=told):
        list(build(read_config(data), data))
    with pytest.raises(BlockworldError, match=rf"the configuration in the data set: {told}[^\n]*\.$") as refused:
        studio(config.model_dump_json())
    on_the_way = pickle.loads(pickle.dumps(refused.value))
    error = failure(on_the_way, Job(0, 0, 1))
    assert isinstance(error, ValueError) and str(error) == str(refused.value), "a cluster tells it as it is"


def test_a_cluster_tells_the_whole_of_a_message_of_several_lines():
    cause = ValueError("the lens is broken:\n  give another one\n  For further information see docs.")
    error = failure(cause, Job(0, 0, 1))
    assert str(error) == "the lens is broken: give another one For further information see docs."


def test_the_bytes_do_not_tell_where_the_robot_lies(tmp_path):
    shards, names = [], set()
    for place in ("here", "there"):
        robot = write_toy(tmp_path / place)
        config = changed(robot=str(robot), scenes=1, segmentation=True)
        list(build(config, tmp_path / place / "data"))
        shards.append(shard_path(tmp_path / place / "data", 0).read_bytes())
        names |= {sample.record["robot"]["name"] for sample in read_samples(tmp_path / place / "data")}
    assert shards[0] == shards[1]
    assert names == {"toy"}
    export(tmp_path / "here" / "data", "coco", tmp_path / "coco")
    categories = yaml.safe_load((tmp_path / "coco" / "annotations.json").read_text())["categories"]
    assert [category["name"] for category in categories] == ["block", "toy", "distractor"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (None, b"", "nowhere does not exist: give a folder"),
        ("notes.txt", b"x", "holds no pictures: give a folder"),
        ("broken.png", b"no picture", r"broken\.png cannot be read: remove it from its folder or replace it"),
    ],
)
def test_pictures_that_cannot_be_drawn_are_refused_before_anything_is_written(
    tmp_path, workers, name, content, sentence
):
    folder = tmp_path / ("nowhere" if name is None else "pictures")
    if name is not None:
        folder.mkdir()
        (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        list(build(with_pictures(folder), tmp_path / "data", workers=workers))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["a.png", "c.bmp", "d.webp"])
def test_a_picture_that_was_copied_in_part_is_named(pictures, tmp_path, name):
    os.truncate(pictures / name, (pictures / name).stat().st_size - 9)
    with pytest.raises(ValueError, match=f"{pictures / name} cannot be read"):
        list(build(with_pictures(pictures), tmp_path / "data"))


def test_pictures_are_known_by_what_they_hold(pictures, tmp_path):
    config = with_pictures(pictures)
    config.check_files()
    first = config.fingerprint
    (pictures / "notes.txt").write_text("mine")
    os.utime(pictures / "a.png")
    assert config.fingerprint == first, "what is no picture does not count"
    shutil.copytree(pictures, tmp_path / "copy")
    assert with_pictures(tmp_path / "copy").fingerprint == first, "nor does where they lie"
    content = bytearray((pictures / "c.bmp").read_bytes())
    content[-1] ^= 1
    (pictures / "c.bmp").write_bytes(content)
    assert config.fingerprint != first, "a picture of the same size is another one"


def test_an_unrelated_file_does_not_lock_a_data_set(pictures, tmp_path):
    config = with_pictures(pictures)
    list(build(config, tmp_path / "data"))
    shard = shard_path(tmp_path / "data", 0).read_bytes()
    (pictures / "notes.txt").write_text("mine")
    assert list(build(config, tmp_path / "data")) == []
    (pictures / "a.png").unlink()
    with pytest.raises(ValueError, match="already holds another data set"):
        list(build(config, tmp_path / "data"))
    assert shard_path(tmp_path / "data", 0).read_bytes() == shard


def test_the_configuration_of_a_data_set_keeps_its_type(tmp_path):
    list(build(changed(scenes=1), tmp_path))
    assert type(read_config(tmp_path)) is DatasetConfig
