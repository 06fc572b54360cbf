"""The commands that make images and networks, as a user types them."""

import hashlib

import pytest
import yaml

SMALL = {"task": "fine", "seed": 1, "scenes": 4, "views": 2, "width": 64, "height": 64, "shard_scenes": 2}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


def _digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("shard-*.npz")}


def test_an_image_has_the_same_bytes_each_time(blockworld, tmp_path):
    for name in ("a", "b"):
        status, out, _ = blockworld("render", "--index", 3, "--seed", 5, "--out", tmp_path / f"{name}.png")
        assert status == 0
        assert "scene 3 of series 5" in out
    blockworld("render", "--index", 4, "--seed", 5, "--out", tmp_path / "c.png")
    first, again, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert first == again != other


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["render", "--renderer", "ray", "--out", "x.png"],
            "there is no renderer 'ray'; choose one of: tiny",
        ),
        (["render", "--out", "/nonexistent/x.png"], "cannot write /nonexistent/x.png"),
        (["render", "--index", "-1", "--out", "x.png"], "-1"),
        (["dataset", "build", "none.yaml", "--out", "x"], "cannot read the configuration none.yaml"),
        (["train"], "no recipe was given: choose one of"),
        (["train", "grasping"], "there is no recipe 'grasping'"),
        (["train", "localization-fine", "samples=few"], "samples in"),
        (["train", "localization-fine", "data=/nonexistent"], "/nonexistent holds no images"),
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
    (out / "shard-00001.npz").unlink()
    status, said, _ = blockworld("dataset", "build", config, "--out", out, "--workers", 2)
    assert status == 0
    assert "4 images at" in said
    assert _digests(out) == before
    status, _, error = blockworld("dataset", "build", config, "seed=2", "--out", out)
    assert status == 2
    assert "already holds another data set" in error
    assert _digests(out) == before


def test_training_makes_a_bundle_that_the_reader_accepts(blockworld, config, tmp_path):
    from perception.bundle import Bundle

    data = tmp_path / "data"
    blockworld("dataset", "build", config, "--out", data)
    changes = ["widths=[8,8]", "depths=[1,1]", "stem=8", "head=8", "batch=4", "samples=8"]
    places = [f"data={data}", f"validation={data}", f"out={tmp_path / 'run'}"]
    status, said, _ = blockworld(
        "train", "localization-fine", *places, *changes, "--models", tmp_path / "models"
    )
    assert status == 0
    assert "block_centre_median_px" in said
    assert Bundle.load(tmp_path / "models" / "fine").manifest.training["samples"] == 8


@pytest.mark.parametrize("words", [[], ["render"], ["dataset"], ["dataset", "build"], ["train"]])
def test_every_command_has_help_with_an_example(blockworld, words):
    status, said, _ = blockworld(*words, "--help")
    assert status == 0
    assert "Example: blockworld" in said or words == ["dataset"]
