"""Learning on a collection: it verifies more, survives interruptions, and its weights are read back."""

import json

import pytest
import torch
from fixtures_art import random_backbone
from fixtures_art_learning import SmallBackbone, copies, little_to_do

from perception.configuration import read_configuration
from perception.errors import BlockworldError
from training.art.backbone import digest, open_backbone
from training.art.learning import train as training_module
from training.art.learning.config import LearningConfig
from training.art.learning.reading import usable_pictures
from training.art.learning.train import learn
from training.art.learning.weights_file import write_weights
from training.recipes import FOLDER


@pytest.fixture(autouse=True)
def small(monkeypatch):
    with little_to_do(monkeypatch):
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return copies(tmp_path_factory.mktemp("copies"))


def _config(**changes):
    small = {
        "rounds": 2, "sources": 3, "proposals": 12, "proposal_scales": (36,), "matches": 2, "pairs": 8,
        "least_votes": 0.2, "learning_rate": 1e-3, "bfloat16": False,
    }
    return LearningConfig(**(small | changes))


def _log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_learning_lowers_its_loss_or_verifies_more(pictures, tmp_path):
    config = _config(rounds=4, pairs=24, proposals=24)
    found = learn(pictures, SmallBackbone(), config, tmp_path / "weights.pth", tmp_path / "work")
    rows = _log(tmp_path / "work")
    assert [row["round"] for row in rows] == [0, 1, 2, 3, 4] and all(row["learned_from"] for row in rows)
    assert found.best_share > 1.1 * found.first_share
    assert rows[-1]["loss"] < 0.9 * rows[1]["loss"]
    written = torch.load(tmp_path / "weights.pth", weights_only=True)
    assert written.keys() == SmallBackbone().state_dict().keys()


@pytest.mark.parametrize("during", ["search", "update"])
def test_an_interrupted_learning_ends_as_an_uninterrupted_one(pictures, tmp_path, monkeypatch, during):
    config = _config(checkpoint_s=1e-9)
    whole = learn(pictures, SmallBackbone(), config, tmp_path / "whole.pth", tmp_path / "whole")
    name = {"search": "searched", "update": "pair_loss"}[during]
    original, calls = getattr(training_module, name), 0

    def failing(*arguments):
        nonlocal calls
        calls += 1
        if during == "search":
            done = original(*arguments)
            return (one if calls != 2 or one != 2 else _stop() for one in done)
        return original(*arguments) if calls != 14 else _stop()

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(training_module, name, failing)
        learn(pictures, SmallBackbone(), config, tmp_path / "broken.pth", tmp_path / "broken")
    resumed = learn(pictures, SmallBackbone(), config, tmp_path / "broken.pth", tmp_path / "broken")
    assert resumed == whole and _log(tmp_path / "broken") == _log(tmp_path / "whole")
    states = [torch.load(tmp_path / one / "checkpoint.pt", weights_only=True) for one in ("whole", "broken")]
    for name, one in states[0]["network"].items():
        assert torch.equal(one, states[1]["network"][name]), name


def _stop():
    raise KeyboardInterrupt


def test_finished_learning_goes_on_when_more_rounds_are_asked_for(pictures, tmp_path):
    learn(pictures, SmallBackbone(), _config(rounds=1), tmp_path / "w.pth", tmp_path / "work")
    again = learn(pictures, SmallBackbone(), _config(rounds=1), tmp_path / "w.pth", tmp_path / "work")
    more = learn(pictures, SmallBackbone(), _config(rounds=2), tmp_path / "w.pth", tmp_path / "work")
    assert (again.rounds, more.rounds) == (1, 2)
    assert learn(pictures, SmallBackbone(), _config(), tmp_path / "o.pth", tmp_path / "other") == more


def test_it_stops_early_and_keeps_the_weights_that_verified_most(pictures, tmp_path):
    # Steps this long unlearn everything.
    config = _config(rounds=9, patience=1, learning_rate=1.0)
    found = learn(pictures, SmallBackbone(), config, tmp_path / "weights.pth", tmp_path / "work")
    assert found.rounds == 1 and found.best_round == 0
    written = torch.load(tmp_path / "weights.pth", weights_only=True)
    for name, one in SmallBackbone().state_dict().items():
        assert torch.equal(one, written[name])


@pytest.mark.parametrize(
    ("changed", "told"),
    [("weights", "with other weights"), ("pictures", "with other pictures"), ("settings", "with other settings")],
)
def test_a_checkpoint_of_something_else_is_refused(pictures, tmp_path, changed, told):
    learn(pictures, SmallBackbone(), _config(rounds=1), tmp_path / "w.pth", tmp_path / "work")
    backbone = SmallBackbone(1 if changed == "weights" else 0)
    config = _config(rounds=1, seed=1 if changed == "settings" else 0)
    chosen = pictures[:2] if changed == "pictures" else pictures
    with pytest.raises(BlockworldError, match=told):
        learn(chosen, backbone, config, tmp_path / "w.pth", tmp_path / "work")


def test_no_verified_pair_is_told(pictures, tmp_path):
    with pytest.raises(BlockworldError, match=r"none of \d+ pairs was verified: give more pictures"):
        learn(pictures, SmallBackbone(), _config(least_votes=1.0), tmp_path / "w.pth", tmp_path / "work")


def test_a_collection_of_one_picture_is_told(tmp_path):
    copies_of_one = tmp_path / "one"
    with pytest.raises(BlockworldError, match="has 1 different pictures that can be used"):
        copies(copies_of_one, 1)
    (copies_of_one / "again.png").write_bytes((copies_of_one / "0.png").read_bytes())
    (copies_of_one / "empty.png").touch()
    with pytest.raises(BlockworldError, match=r"has 1 different pictures that can be used \(.*empty.png is empty"):
        usable_pictures(copies_of_one)


def test_learned_weights_are_read_as_those_of_torchvision(tmp_path):
    backbone = random_backbone(3)
    write_weights(backbone, tmp_path / "weights.pth")
    assert "layer3.1.bn2.running_var" in torch.load(tmp_path / "weights.pth", weights_only=True)
    assert digest(open_backbone(tmp_path / "weights.pth")) == digest(backbone)


def test_the_recipe_has_the_papers_values():
    assert read_configuration(LearningConfig, FOLDER / "art" / "configs" / "learn.yaml") == LearningConfig()
