"""The commands that make images and networks, as a user types them."""

import hashlib
import tarfile

import cv2
import numpy as np
import pytest
import yaml
from fixtures_robot import write_toy

from perception.errors import RobotError
from sim.keypoints import channels
from sim.robots import load_robot

SMALL = {
    "task": "fine",
    "renderer": "tiny",
    "preset": "lab",
    "seed": 1,
    "scenes": 4,
    "views": 2,
    "width": 64,
    "height": 64,
    "depth": True,
    "segmentation": True,
    "shard_scenes": 2,
}
TINY = ("--renderer", "tiny", "--width", 96)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


def _digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("shard-*.tar")}


def test_an_image_has_the_same_bytes_each_time(blockworld, tmp_path):
    for name in ("a", "b"):
        words = ("render", *TINY, "--index", 3, "--seed", 5, "--out", tmp_path / f"{name}.png")
        status, out, _ = blockworld(*words)
        assert status == 0
        assert "scene 3 of series 5" in out
    blockworld("render", *TINY, "--index", 4, "--seed", 5, "--out", tmp_path / "c.png")
    first, again, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert first == again != other


def test_a_rendered_image_is_that_of_a_data_set(blockworld, config, tmp_path):
    blockworld("dataset", "build", config, "views=3", "oversampling=2", "--out", tmp_path / "data")
    words = ("--task", "fine", "--preset", "lab", "--renderer", "tiny", "--width", 64)
    for view in range(3):
        files = {name: tmp_path / f"{name}.png" for name in ("out", "depth")}
        options = [word for name, path in files.items() for word in (f"--{name}", path)]
        blockworld("render", *words, "--index", 2, "--seed", 1, "--view", view, *options)
        with tarfile.open(tmp_path / "data" / "shard-00001.tar") as tar:
            assert tar.extractfile(f"0000002-{view}.png").read() == files["out"].read_bytes()
            assert tar.extractfile(f"0000002-{view}.depth.png").read() == files["depth"].read_bytes()


def test_labels_are_drawn_on_request(blockworld, tmp_path):
    words = ("render", *TINY, "--task", "fine", "--preset", "lab")
    blockworld(*words, "--out", tmp_path / "plain.png")
    blockworld(*words, "--keypoints", "--segmentation", tmp_path / "labels.png", "--out", tmp_path / "drawn.png")
    plain, drawn, labels = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("plain", "drawn", "labels"))
    assert 20 < (plain != drawn).any(-1).sum() < plain[..., 0].size / 2
    assert len(np.unique(labels.reshape(-1, 3), axis=0)) >= 3, "support, robot and block"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["render", "--renderer", "ray", "--out", "x.png"],
            "there is no renderer 'ray'; choose one of: tiny",
        ),
        (["render", *TINY, "--out", "/nonexistent/x.png"], "cannot write /nonexistent/x.png"),
        (["render", "--preset", "moon", "--out", "x.png"], "'moon'"),
        (["render", "--robot", "toaster", "--out", "x.png"], "'toaster'"),
        (["render", "--index", "-1", "--out", "x.png"], "-1"),
        (["dataset", "build", "none.yaml", "--out", "x"], "cannot read the configuration none.yaml"),
        (["dataset", "show", "/nonexistent"], "/nonexistent holds no data set"),
        (["dataset", "export", "/nonexistent", "--format", "coco", "--out", "x"], "/nonexistent holds no data set"),
        (["dataset", "export", ".", "--format", "zip", "--out", "x"], "'zip'"),
        (["train"], "no recipe was given: choose one of"),
        (["train", "grasping"], "there is no recipe 'grasping'"),
        (["train", "localization-fine", "samples=few"], "samples in"),
        (["train", "localization-fine", "data=/nonexistent"], "/nonexistent holds no data set"),
        (["juggle"], "No such command 'juggle'"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(blockworld, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    status, _, error = blockworld(*words)
    assert status == 2
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
    assert "Traceback" not in error


def test_a_data_set_is_built_resumed_and_protected(blockworld, config, tmp_path):
    out = tmp_path / "data"
    assert blockworld("dataset", "build", config, "--out", out)[0] == 0
    before = _digests(out)
    assert len(before) == 2
    (out / "shard-00001.tar").unlink()
    status, said, _ = blockworld("dataset", "build", config, "--out", out, "--workers", 2)
    assert status == 0
    assert "4 images at" in said
    assert _digests(out) == before
    status, _, error = blockworld("dataset", "build", config, "seed=2", "--out", out)
    assert status == 2
    assert "already holds another data set" in error
    assert _digests(out) == before
    status, said, _ = blockworld("dataset", "build", config, "scenes=2", "--out", out, "--overwrite")
    assert (status, "4 images at" in said) == (0, True)
    assert len(_digests(out)) == 1


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("scenes=0", "scenes in 'scenes=0' is 0: Input should be greater than 0"),
        ("renderer=ray", "renderer in 'renderer=ray' is 'ray': there is no renderer 'ray'"),
        ("randomization={camera: {roll_deg: [5, 1]}}", "roll_deg is [5, 1]"),
        ("robot=toaster", "'toaster'"),
        ("colour=red", "colour in 'colour=red' is 'red'"),
    ],
)
def test_impossible_data_sets_are_refused(blockworld, config, tmp_path, word, sentence):
    status, _, error = blockworld("dataset", "build", config, word, "--out", tmp_path / "data")
    assert status == 2
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("place", ["/proc/xx", "a.png/sub"])
def test_a_place_where_no_folder_can_be_is_refused(blockworld, config, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"mine")
    status, _, error = blockworld("dataset", "build", config, "--out", place)
    assert (status, len(error.strip().splitlines())) == (2, 1)
    assert f"{place} cannot be written" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "small.yaml"]


def test_a_data_set_of_a_preset_in_a_file_is_shown_from_elsewhere(blockworld, config, tmp_path, monkeypatch):
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg" / "my.yaml").write_text("base: lab")
    monkeypatch.chdir(tmp_path / "cfg")
    assert blockworld("dataset", "build", config, "preset=my.yaml", "--out", "../data")[0] == 0
    monkeypatch.chdir(tmp_path)
    assert blockworld("dataset", "show", "data")[0] == 0
    (tmp_path / "cfg" / "my.yaml").unlink()
    for words in (("show", "data"), ("export", "data", "--format", "coco", "--out", "coco")):
        assert blockworld("dataset", *words)[0] == 0


def test_training_finds_a_robot_by_its_path_though_records_hold_its_name(blockworld, config, tmp_path):
    from training.localization.data import load_samples

    robot, data = write_toy(tmp_path), tmp_path / "data"
    blockworld("dataset", "build", config, f"robot={robot}", "scenes=2", "--out", data)
    names = [channel.name for channel in channels("fine", load_robot(robot))]
    assert load_samples("fine", [data]).points.shape == (4, len(names), 2, 2)
    robot.unlink()
    with pytest.raises(RobotError, match=rf"there is no robot at {robot}"):
        load_samples("fine", [data])


def test_a_data_set_is_shown_and_exported(blockworld, config, tmp_path):
    blockworld("dataset", "build", config, "--out", tmp_path / "data")
    assert blockworld("dataset", "show", tmp_path / "data", "--images", 5)[1].endswith("contact_sheet.html: 5 images\n")
    assert (tmp_path / "data" / "contact_sheet.html").read_text().count("data:image/jpeg") == 5
    for name in ("bop", "coco"):
        words = ("dataset", "export", tmp_path / "data", "--format", name, "--out", tmp_path / name)
        assert f"8 images as {name}" in blockworld(*words)[1]
        status, _, error = blockworld(*words)
        assert (status, "exists already: choose a new folder" in error) == (2, True)


def test_training_makes_a_bundle_that_the_reader_accepts(blockworld, config, tmp_path):
    from perception.bundle import Bundle

    data = tmp_path / "data"
    blockworld("dataset", "build", config, "--out", data)
    changes = ["widths=[8,8]", "depths=[1,1]", "stem=8", "head=8", "batch=8", "samples=8"]
    places = [f"data={data}", f"validation={data}", f"out={tmp_path / 'run'}"]
    status, said, _ = blockworld(
        "train", "localization-fine", *places, *changes, "--models", tmp_path / "models"
    )
    assert status == 0
    assert "block_centre_median_px" in said
    assert Bundle.load(tmp_path / "models" / "fine").manifest.training["samples"] == 8


@pytest.mark.parametrize(
    "words", [[], ["render"], ["dataset"], *(["dataset", verb] for verb in ("build", "show", "export")), ["train"]]
)
def test_every_command_has_help_with_an_example(blockworld, words):
    status, said, _ = blockworld(*words, "--help")
    assert status == 0
    assert "Example: blockworld" in said
