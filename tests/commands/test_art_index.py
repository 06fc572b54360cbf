"""blockworld art index, as a user types it."""

import shutil

import pytest
import torch
from fixtures_art import published, random_backbone, scan


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of scans, most of them bad ones, weights, and a cache that both runs share."""
    made = tmp_path_factory.mktemp("art")
    (made / "scans" / "deep").mkdir(parents=True)
    scan(0, 320, 32).save(made / "scans" / "a.png")
    shutil.copy(made / "scans" / "a.png", made / "scans" / "deep" / "b.png")
    scan(1, 32, 320).convert("CMYK").save(made / "scans" / "c.jpg")
    (made / "scans" / "empty.tif").touch()
    (made / "scans" / "text.jpg").write_text("no picture")
    torch.save(published(random_backbone()), made / "weights.pth")
    return made


def test_pictures_are_indexed_once_and_each_problem_is_told(blockworld, place):
    words = ("art", "index", place / "scans", "--weights", place / "weights.pth", "--cache", place / "cache")
    for done in ("2 indexed, 0 reused", "0 indexed, 2 reused"):
        status, told, _ = blockworld(*words)
        assert status == 0 and f"pictures: {done}, 1 duplicate, 2 with problems; features in {place / 'cache'}" in told
        assert f"duplicate: {place}/scans/deep/b.png is the same as {place}/scans/a.png\n" in told
        assert f"problem: {place}/scans/empty.tif is empty" in told
        assert f"problem: {place}/scans/text.jpg is no picture that can be read" in told


def test_a_cache_of_other_weights_is_refused(refused, place, tmp_path):
    torch.save(published(random_backbone(1)), tmp_path / "other.pth")
    told = refused("art", "index", place / "scans", "--weights", tmp_path / "other.pth", "--cache", place / "cache")
    assert "holds features that another network or engine made: name another folder, or delete it." in told


def test_a_folder_that_does_not_exist_is_told(refused, tmp_path):
    assert "does not exist" in refused("art", "index", tmp_path / "nowhere")


def test_weights_of_something_else_are_told(refused, place, tmp_path):
    (tmp_path / "weights.pth").write_text("no weights")
    told = refused("art", "index", place / "scans", "--weights", tmp_path / "weights.pth")
    assert "give a .pth or .pt file of torchvision, or an .npz file." in told


def test_a_folder_without_pictures_is_told(refused, place, tmp_path):
    words = ("--weights", place / "weights.pth", "--cache", place / "cache")
    assert f"there is no picture that can be used in {tmp_path}" in refused("art", "index", tmp_path, *words)


def test_help_has_an_example(blockworld):
    status, told, _ = blockworld("art", "index", "--help")
    assert status == 0 and "Example: blockworld art index scans" in told


def test_a_cluster_that_does_not_answer_is_told(refused, place, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
    words = ("--weights", place / "weights.pth", "--cache", place / "cache", "--ray", "127.0.0.1:1")
    told = "no Ray cluster answers at 127.0.0.1:1: give the address that `ray start --head` printed, as HOST:PORT,"
    assert told in refused("art", "index", place / "scans", *words)
    assert told in refused("art", "discover", place / "scans", "--out", tmp_path / "report", *words)
    both = refused("art", "discover", place / "scans", "--out", tmp_path / "report", "--workers", "2", *words)
    assert "--workers 2 are processes of this machine, and --ray 127.0.0.1:1 compares on those of a cluster" in both
