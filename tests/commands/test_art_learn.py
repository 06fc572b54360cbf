"""blockworld art learn, as a user types it."""

import pytest
import torch
from fixtures_art import published, random_backbone
from fixtures_art_learning import little_to_do, write_copies

from training.art.backbone import digest, open_backbone

WORDS = ("rounds=1", "sources=3", "proposals=4", "proposal_scales=[36]", "pairs=2", "least_votes=0.05")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    with little_to_do(monkeypatch):
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of scans, two of them bad ones, and weights."""
    made = tmp_path_factory.mktemp("art")
    write_copies(made / "scans", 3, 320, 240)
    (made / "scans" / "empty.tif").touch()
    torch.save(published(random_backbone()), made / "weights.pth")
    return made


def test_weights_are_learned_once_and_read_back(blockworld, place):
    out = place / "learned.pth"
    words = ("art", "learn", place / "scans", "--out", out, "--weights", place / "weights.pth", *WORDS)
    for _ in range(2):  # the second time from the checkpoint
        status, told, _ = blockworld(*words)
        assert status == 0 and "of 1 rounds; weights in " + str(out) in told and "verified pairs: " in told
        assert f"problem: {place}/scans/empty.tif is empty" in told
    open_backbone(out)
    assert (place / "learned.pth.learning" / "log.jsonl").read_text().count("\n") == 2
    torch.save(published(random_backbone(1)), place / "other.pth")
    status, _, told = blockworld(*(place / "other.pth" if word == place / "weights.pth" else word for word in words))
    assert status == 2 and "checkpoint.pt was begun with other weights: begin anew by deleting it" in told
    assert digest(open_backbone(place / "weights.pth")) == digest(random_backbone())


def test_a_folder_with_one_picture_is_told(refused, place, tmp_path):
    write_copies(tmp_path / "scans", 1)
    told = refused("art", "learn", tmp_path / "scans", "--out", tmp_path / "w.pth", "--weights", place / "weights.pth")
    assert "has 1 different pictures that can be used: details are compared between pictures" in told


def test_pairs_that_nothing_verifies_are_told(blockworld, place, tmp_path):
    words = ("--out", tmp_path / "w.pth", "--weights", place / "weights.pth", *WORDS, "least_votes=1.0")
    status, _, told = blockworld("art", "learn", place / "scans", *words)
    assert status == 2 and "pairs was verified: give more pictures that share details" in told
    assert "Traceback" not in told and not (tmp_path / "w.pth").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--out", "weights.npz"), "name a file that ends with .pth"),
        (("--out", "w.pth", "positive_cells=11"), "positive_cells in 'positive_cells=11' is 11"),
        (("--out", "w.pth", "proposal_scales=[50]"), "proposal_scales can be of (80, 74, 68, 60, 49, 36, 20)"),
        (("--out", "w.pth", "--config", "nowhere.yaml"), "cannot read the configuration nowhere.yaml"),
        ((), "Missing option '--out'"),
    ],
)
def test_what_cannot_be_meant_is_told(refused, place, words, told):
    assert told in refused("art", "learn", place / "scans", *words)


def test_help_has_an_example(blockworld):
    status, told, _ = blockworld("art", "learn", "--help")
    assert status == 0 and "Example: blockworld art learn scans --out scans.pth" in told
