"""Data sets have the same bytes however they were built, and are not mixed."""

import json
import os
import signal
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from fixtures_dataset import SMALL, changed, contents
from pydantic import ValidationError

from perception.errors import BlockworldError
from sim import renderers
from sim.dataset import (
    WorkerError,
    build,
    complete_shards,
    present_images,
    read_config,
    read_samples,
    read_shard,
    rgb,
    segmentation,
    shard_path,
)
from sim.dataset.labels import block_corners, channel_pixels, to_pixels
from sim.dataset.processes import Processes
from sim.dataset.work import Job, Losses, Serial
from sim.keypoints import CORNER_CHANNELS, channels
from sim.robots import load_robot
from sim.scene import BLOCK, DISTRACTOR, ROBOT


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The data set built by one worker."""
    folder = tmp_path_factory.mktemp("one")
    assert list(build(SMALL, folder)) == [2] * 5, "images, scene by scene"
    return folder


@pytest.fixture(scope="module")
def long_shard(tmp_path_factory):
    """Configuration and folder of a data set that is one shard of several jobs, built by one worker."""
    folder, config = tmp_path_factory.mktemp("long"), changed(scenes=14, shard_scenes=14, width=32, height=32)
    list(build(config, folder))
    return config, folder


def copy_of(built, folder):
    for path in built.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_the_number_of_workers_does_not_matter(built, tmp_path):
    assert sum(build(SMALL, tmp_path, workers=2)) == 10
    assert contents(tmp_path) == contents(built)


def test_workers_share_a_shard(long_shard, tmp_path, monkeypatch):
    (config, built), begun, start = long_shard, [], Processes._start
    monkeypatch.setattr(Processes, "_start", lambda crew, *words: begun.append(words[1]) or start(crew, *words))
    assert sum(build(config, tmp_path, workers=2)) == config.images
    assert begun == [Job(0, 0, 1), Job(0, 1, 2)]
    assert contents(tmp_path) == contents(built)


def test_scenes_that_come_early_wait_for_those_before_them(long_shard, tmp_path, monkeypatch):
    config, built = long_shard
    in_order = Serial.run
    monkeypatch.setattr(Serial, "job_scenes", 3)
    monkeypatch.setattr(Serial, "run", lambda crew, config, jobs: in_order(crew, config, jobs[::-1]))
    scenes = build(config, tmp_path)
    for number in range(1, 12):
        assert next(scenes) == 2
        assert present_images(config, tmp_path) == 2 * number, "they are reported once they are on the disk"
    scenes.close()
    assert sum(build(config, tmp_path)) == 6
    assert contents(tmp_path) == contents(built)


def test_a_cluster_and_workers_of_this_machine_are_two_things(tmp_path):
    with pytest.raises(ValueError, match=r"--workers 2 are processes .*, and --ray local .* give one of the two"):
        list(build(SMALL, tmp_path / "out", workers=2, ray="local"))
    assert not (tmp_path / "out").exists()


def test_an_interrupted_build_goes_on_within_a_shard(built, tmp_path):
    scenes = build(SMALL, tmp_path)
    for _ in range(3):
        next(scenes)
    scenes.close()
    assert present_images(SMALL, tmp_path) == 6
    assert sum(build(SMALL, tmp_path)) == 4
    assert contents(tmp_path) == contents(built)
    assert list(build(SMALL, tmp_path)) == []


def test_complete_shards_are_not_touched(built, tmp_path):
    copy_of(built, tmp_path)
    shard_path(tmp_path, 1).unlink()
    kept = shard_path(tmp_path, 0).stat().st_mtime_ns
    assert sum(build(SMALL, tmp_path)) == 4, "only the shard that was missing"
    assert shard_path(tmp_path, 0).stat().st_mtime_ns == kept
    assert contents(tmp_path) == contents(built)


def test_a_scene_does_not_depend_on_the_shards(built, tmp_path):
    list(build(changed(shard_scenes=5), tmp_path))
    whole = {sample.key: (sample.record, sample.files) for sample in read_samples(tmp_path)}
    assert whole == {sample.key: (sample.record, sample.files) for sample in read_samples(built)}


def test_another_configuration_is_refused_unless_told(built, tmp_path):
    copy_of(built, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    other = changed(seed=4, scenes=1)
    with pytest.raises(ValueError, match=r"already holds another data set .*--overwrite"):
        list(build(other, tmp_path))
    assert contents(tmp_path) == before
    list(build(other, tmp_path, overwrite=True))
    assert sorted(contents(tmp_path)) == ["dataset.yaml", "notes.txt", "shard-00000.tar"]
    assert read_config(tmp_path) == other
    assert list(build(other, tmp_path, overwrite=True)) == [], "its own images are not erased"


@pytest.mark.parametrize("name", ["shard-00000.tar", "shard-00000.npz", "shard-00003.tar.part"])
def test_shards_that_belong_to_nothing_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(ValueError, match=f"already holds {name}"):
        list(build(SMALL, tmp_path))
    assert (tmp_path / name).read_bytes() == b"precious"


def test_images_of_another_device_are_not_mixed_in(built, tmp_path):
    copy_of(built, tmp_path)
    shard_path(tmp_path, 2).unlink()
    identity = yaml.safe_load((tmp_path / "dataset.yaml").read_text())
    (tmp_path / "dataset.yaml").write_text(yaml.safe_dump(identity | {"device": "another GPU"}))
    with pytest.raises(ValueError, match="were drawn by another GPU, and here PyBullet TinyRenderer"):
        list(build(SMALL, tmp_path))


@pytest.mark.parametrize("name", ["numpy", "OpenCV", "ISA-L"])
def test_images_of_other_versions_are_not_mixed_in(built, tmp_path, name):
    copy_of(built, tmp_path)
    shard_path(tmp_path, 2).unlink()
    text = (tmp_path / "dataset.yaml").read_text()
    assert f"{name} " in text
    (tmp_path / "dataset.yaml").write_text(text.replace(f"{name} ", f"{name} 0."))
    with pytest.raises(ValueError, match=rf"drawn by .*{name} 0\..*: go on .* with the same versions"):
        list(build(SMALL, tmp_path))


def test_settings_that_came_later_leave_the_fingerprints_of_before():
    assert changed(randomization={**SMALL.randomization, "first_seed": 0}).fingerprint == SMALL.fingerprint
    assert changed(randomization={**SMALL.randomization, "first_seed": 12}).fingerprint != SMALL.fingerprint


def test_what_decides_the_contents_is_in_the_fingerprint():
    prints = [
        config.fingerprint
        for config in (
            SMALL,
            changed(seed=4),
            changed(codec="jpeg"),
            changed(depth=True),
            changed(preset="train"),
            changed(randomization={**SMALL.randomization, "camera": {"roll_deg": [0, 1]}}),
        )
    ]
    assert len(set(prints)) == len(prints)
    same = SMALL.ranges().camera.roll_deg
    assert changed(randomization={**SMALL.randomization, "camera": {"roll_deg": same}}).fingerprint == SMALL.fingerprint


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"renderer": "ray"}, "there is no renderer 'ray'; choose one of: tiny"),
        ({"preset": "moon"}, "moon"),
        ({"scenes": 0}, "scenes"),
        ({"width": 5000}, "1920"),
        ({"randomization": {"camera": {"roll_deg": [5, 1]}}}, "roll_deg is"),
        ({"randomization": {"camera": {"rolls": [5, 1]}}}, "rolls"),
    ],
)
def test_impossible_configurations_are_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        changed(**changes)


def test_an_unknown_robot_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="no robot named 'toaster'"):
        list(build(changed(robot="toaster"), tmp_path))
    assert not list(tmp_path.iterdir())


def test_no_renderer_stands_in_for_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(renderers, "_no_opengl", lambda: "no driver")
    with pytest.raises(ValueError, match=r"OpenGL does not work here \(no driver\): .* choose the renderer 'tiny'"):
        list(build(changed(renderer="gl"), tmp_path))
    assert sum(build(changed(scenes=1), tmp_path)) == 2, "the folder is still free"


def test_a_folder_without_a_data_set_says_how_to_build_one(tmp_path):
    with pytest.raises(ValueError, match="blockworld dataset build"):
        read_config(tmp_path)
    (tmp_path / "dataset.yaml").write_text("format: 1\nfingerprint: a\ndevice: b\nconfig: {}\n")
    with pytest.raises(ValueError, match="has format 1, but this software reads"):
        read_config(tmp_path)
    (tmp_path / "dataset.yaml").write_text("format: [")
    with pytest.raises(ValueError, match="is damaged"):
        read_config(tmp_path)
    (tmp_path / "dataset.yaml").unlink()
    (tmp_path / "dataset.yaml").mkdir()
    with pytest.raises(ValueError, match=r"dataset\.yaml cannot be read \(Is a directory\): give the folder of a"):
        read_config(tmp_path)


def test_a_stored_configuration_that_cannot_be_is_told_in_a_sentence(built, tmp_path):
    copy_of(built, tmp_path)
    text = (tmp_path / "dataset.yaml").read_text()
    (tmp_path / "dataset.yaml").write_text(text.replace("views: 2", "views: 20"))
    with pytest.raises(BlockworldError) as error:
        read_config(tmp_path)
    assert str(error.value) == f"views in {tmp_path}/dataset.yaml is 20: Input should be less than or equal to 8."


def test_the_folder_is_as_readable_as_the_user_wants_it(tmp_path):
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        before = os.umask(mask)
        try:
            list(build(changed(scenes=1), tmp_path / oct(mask)))
        finally:
            os.umask(before)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / oct(mask)).iterdir()}
        assert modes == {"dataset.yaml": mode, "shard-00000.tar": mode, ".lock": mode}


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    for out in (tmp_path / "a.png", tmp_path / "a.png" / "sub", Path("/proc/xx")):
        with pytest.raises(ValueError, match=rf"{out} cannot be written \(.*\): choose a folder of yours"):
            list(build(SMALL, out))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_two_builds_do_not_write_into_one_folder(tmp_path):
    scenes = build(SMALL, tmp_path)
    next(scenes)
    with pytest.raises(ValueError, match="another process is building"):
        next(build(SMALL, tmp_path))
    scenes.close()
    assert sum(build(SMALL, tmp_path)) == 8


def test_a_data_set_without_an_image_gives_way(built, tmp_path):
    (tmp_path / "dataset.yaml").write_bytes((built / "dataset.yaml").read_bytes())
    other = changed(scenes=1)
    assert sum(build(other, tmp_path)) == 2
    assert read_config(tmp_path) == other


def test_shards_are_tars_in_the_layout_of_webdataset(built):
    with tarfile.open(shard_path(built, 0)) as tar:
        names = tar.getnames()
        assert names[:2] == ["0000000-0.png", "0000000-0.json"]
        assert {(info.uid, info.mtime, info.uname) for info in tar.getmembers()} == {(0, 0, "")}
        picture = tar.extractfile(names[0]).read()
        record = json.loads(tar.extractfile(names[1]).read())
    assert picture.startswith(b"\x89PNG")
    assert (record["scene"], record["view"], record["width"], record["height"]) == (0, 0, 48, 48)
    assert [name.partition(".")[0] for name in names[::2]] == [name.partition(".")[0] for name in names[1::2]]


def test_shards_hold_images_and_what_is_in_them(built):
    shards = [list(read_shard(path)) for path in complete_shards(built)]
    assert [len(samples) for samples in shards] == [4, 4, 2]
    robot = load_robot("panda")
    wanted = channels("fine", robot)
    for sample in (sample for samples in shards for sample in samples):
        picture, record = rgb(sample), sample.record
        assert (picture.shape, picture.dtype) == ((48, 48, 3), np.uint8)
        assert [point["name"] for point in record["keypoints"]] == [channel.name for channel in wanted]
        assert record["robot"]["hovers"], "the clamp hovers in close-ups"
        assert record["absent"] == []
        pixels = channel_pixels(record, wanted, robot.robot)
        stored = [point["px"] for point in record["keypoints"]]
        for row, places in zip(pixels, stored, strict=True):
            np.testing.assert_allclose(row[: len(places)], places, atol=1e-3)
        centre = pixels[[channel.name for channel in wanted].index("block_centre"), 0]
        assert ((centre > 0) & (centre < 48)).all(), "the block is in the crop"


def test_pictures_of_the_block_have_its_middle_in_their_centre_and_its_corners_where_they_are_stored(tmp_path):
    list(build(changed(task="block", preset="train", segmentation=True, scenes=4), tmp_path))
    samples = list(read_samples(tmp_path))
    assert len(samples) == 8
    for sample in samples:
        record, points = sample.record, sample.record["keypoints"]
        corners = block_corners(record)
        np.testing.assert_allclose(to_pixels(record, corners.mean(axis=0)), (24, 24), atol=1e-6)
        assert [point["name"] for point in points] == [channel.name for channel in CORNER_CHANNELS]
        stored = np.array([point["px"][0] for point in points[2:]])
        distances = np.linalg.norm(stored[:, None] - to_pixels(record, corners), axis=2)
        assert (distances.min(axis=0) < 1e-3).all() and sorted(distances.argmin(axis=1)) == list(range(8))
        shown = np.argwhere(segmentation(sample) == BLOCK)[:, ::-1] + 0.5
        assert len(shown), "the block is in the picture"
        assert (shown > stored.min(axis=0) - 1).all() and (shown < stored.max(axis=0) + 1).all()


def test_pictures_without_the_block_have_what_may_be_taken_for_it_in_their_middle(tmp_path):
    always = {"absent": {"block_share": 1.0}, "distractors": {"count": [4, 6]}}
    list(build(changed(task="block", preset="adv", segmentation=True, scenes=12, randomization=always), tmp_path))
    labels = [segmentation(sample) for sample in read_samples(tmp_path)]
    assert not any((one == BLOCK).any() for one in labels)
    middles = [one[16:32, 16:32] for one in labels]
    assert np.mean([(middle >= DISTRACTOR).any() for middle in middles]) > 0.5
    for sample in read_samples(tmp_path):
        assert sample.record["absent"] == ["block"]
        assert all(point["px"] == [None] for point in sample.record["keypoints"])


@pytest.mark.parametrize(("gone", "label"), [("block", BLOCK), ("robot", ROBOT)])
def test_what_is_absent_is_neither_drawn_nor_labelled(tmp_path, gone, label):
    always = {"absent": {f"{gone}_share": 1.0}, "distractors": {"count": [0, 0]}}
    folders = {}
    for name, absent in (("with", {}), ("without", always)):
        folders[name] = tmp_path / name
        list(build(changed(scenes=2, segmentation=True, randomization=absent), folders[name]))
    for there, sample in zip(*(read_samples(folder) for folder in folders.values()), strict=True):
        assert (segmentation(there) == label).any()
        assert not (segmentation(sample) == label).any()
        assert sample.record["absent"] == [gone] and there.record["absent"] == []
        for point in sample.record["keypoints"]:
            if point["kind"] == gone:
                assert set(point["px"]) == {None} and set(point["visibility"]) == {0}
        for name in ("camera", "robot", "block"):
            assert sample.record[name] == there.record[name], "everything else is as if it were there"
        wanted = channels("fine", load_robot("panda"))
        found = np.isnan(channel_pixels(sample.record, wanted, load_robot("panda").robot)).all(axis=(1, 2))
        assert found.tolist() == [channel.kind == gone for channel in wanted]


def test_a_damaged_shard_is_named(built, tmp_path):
    copy_of(built, tmp_path)
    whole = shard_path(tmp_path, 1).read_bytes()
    shard_path(tmp_path, 1).write_bytes(whole[:700] + b"\xff" + whole[701:])
    with pytest.raises(ValueError, match=r"shard-00001\.tar is damaged .* delete it"):
        list(read_samples(tmp_path))


def test_a_worker_that_is_killed_is_replaced(built, tmp_path):
    config, told = changed(scenes=12, shard_scenes=3), []
    scenes = build(config, tmp_path, workers=2, notice=told.append)
    next(scenes)
    victim = next(iter(children_of(os.getpid())))
    os.kill(victim, signal.SIGKILL)
    count = 2 + sum(scenes)
    assert count == 24
    assert len(told) == 1 and "signal SIGKILL killed it; another one goes on there" in told[0]
    undisturbed = tmp_path / "undisturbed"
    list(build(config, undisturbed))
    for shard in range(config.shards):
        assert shard_path(tmp_path, shard).read_bytes() == shard_path(undisturbed, shard).read_bytes()


def children_of(pid):
    """Processes of this interpreter that `pid` started, the tracker of resources left out."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                yield int(child)


def test_workers_that_end_again_and_again_end_the_build():
    losses, job = Losses(), Job(0, 7, 9)
    assert losses.rest(job, "of a fire") == job
    assert losses.rest(job, "of a fire") == job
    with pytest.raises(WorkerError, match="3 workers ended at scene 7, the last one because of a fire"):
        losses.rest(job, "of a fire")


def test_an_error_in_a_worker_reaches_the_user(tmp_path):
    with pytest.raises(ValueError, match="no robot named 'toaster'"):
        list(build(changed(robot="toaster"), tmp_path, workers=2))
