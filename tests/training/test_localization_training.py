"""A few steps of the real recipe, from images on disk to a bundle that the runtime runs."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from perception.bundle import Bundle
from perception.engines import open_engine
from perception.errors import BlockworldError
from training.localization import train as training_module
from training.localization.config import LocalizationConfig
from training.localization.data import load_samples
from training.localization.export import export
from training.localization.model import DeployedNetwork
from training.localization.train import build_network, train
from training.recipes import RECIPES


def _config(small_data, out, **changes) -> LocalizationConfig:
    values = {
        "task": "fine",
        "data": small_data,
        "validation": small_data,
        "out": out,
        "widths": (8, 16),
        "stem": 8,
    }
    values |= {"depths": (1, 1), "head": 8, "batch": 8, "samples": 48}
    return LocalizationConfig(**(values | changes))


@pytest.fixture(scope="module")
def trained(small_data, tmp_path_factory):
    config = _config(small_data, tmp_path_factory.mktemp("run"))
    return config, train(config, progress=False)


def test_training_lowers_the_loss(small_data, trained, tmp_path):
    _, metrics = trained
    longer = train(_config(small_data, tmp_path, samples=480), progress=False)
    assert longer["validation_loss"] < metrics["validation_loss"] - 0.1


def test_equal_seeds_give_equal_weights(small_data, tmp_path, trained):
    config, _ = trained
    whole = torch.load(config.out / "weights.pt", weights_only=True)
    again = _config(small_data, tmp_path / "again")
    train(again, progress=False)
    repeated = torch.load(again.out / "weights.pt", weights_only=True)
    assert all(torch.equal(whole[name], repeated[name]) for name in whole)


def test_an_interrupted_training_goes_on_where_it_stopped(small_data, tmp_path, monkeypatch):
    config = _config(small_data, tmp_path, checkpoint_s=1e-9)
    monkeypatch.setattr(training_module, "heatmap_loss", _failing_after(4, training_module.heatmap_loss))
    with pytest.raises(KeyboardInterrupt):
        train(config, progress=False)
    monkeypatch.undo()
    train(config, progress=False)
    steps = [json.loads(line)["step"] for line in (config.out / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def _failing_after(calls: int, function):
    """`function`, which is interrupted once it was called so many times."""
    count = 0

    def wrapped(*arguments):
        nonlocal count
        count += 1
        if count > calls:
            raise KeyboardInterrupt
        return function(*arguments)

    return wrapped


def test_a_finished_training_is_not_done_again(trained):
    config, metrics = trained
    before = (config.out / "weights.pt").stat().st_mtime_ns
    assert train(config, progress=False) == metrics
    assert len((config.out / "log.jsonl").read_text().splitlines()) > 0
    assert (config.out / "weights.pt").stat().st_mtime_ns >= before


def test_the_exported_bundle_gives_what_the_network_gives(trained, small_data, tmp_path):
    config, _ = trained
    exported = export(config, tmp_path)
    bundle = Bundle.load(tmp_path / "fine")
    images = load_samples("fine", small_data).images[:3]
    network = build_network(config).eval()
    network.load_state_dict(torch.load(config.out / "weights.pt", weights_only=True))
    wanted = DeployedNetwork(network, exported.metrics["sharpness"])(images).detach().numpy()
    given = open_engine(bundle).run(images.numpy())
    np.testing.assert_allclose(given, wanted, atol=1e-4)
    np.testing.assert_allclose(np.exp(given).sum((-2, -1)), 1, atol=1e-4)
    assert given.shape == (3, len(bundle.manifest.output.channels), 64, 64)
    assert "localization-fine" in (tmp_path / "fine" / "card.md").read_text()


def test_exporting_before_training_says_what_to_do(small_data, tmp_path):
    with pytest.raises(BlockworldError, match="train first with `blockworld train localization-fine`"):
        export(_config(small_data, tmp_path), tmp_path / "models")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_reads_its_configuration(name):
    recipe = RECIPES[name]
    assert recipe.summary
    assert recipe.config.is_file()
    assert dataclasses.is_dataclass(recipe)
    with pytest.raises(BlockworldError, match="colour"):
        recipe.run(recipe.config, ["colour=red"], recipe.config.parent)
