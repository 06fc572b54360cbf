"""A few steps of the real recipes, from images on disk to bundles that the runtime runs."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

from perception.bundle import Bundle
from perception.engines import open_engine
from perception.errors import BlockworldError
from training.localization import train as training_module
from training.localization.bins import DeployedBins
from training.localization.config import LocalizationConfig
from training.localization.data import load_samples
from training.localization.export import export
from training.localization.model import DeployedNetwork
from training.localization.objectives import objective_of
from training.localization.train import train
from training.recipes import RECIPES

TRAIN = """
import sys
from training.localization.config import LocalizationConfig
from training.localization.train import train
train(LocalizationConfig.model_validate_json(sys.argv[1]), progress=False)
"""


def _config(small_data, out, **changes) -> LocalizationConfig:
    values = {"task": "fine", "data": [small_data], "validation": [small_data], "out": out}
    values |= {"widths": (8, 16), "depths": (1, 1), "stem": 8, "head": 8, "batch": 8, "samples": 48}
    return LocalizationConfig(**(values | changes))


def _weights(config):
    return torch.load(config.out / "weights.pt", weights_only=True)["network"]


def _losses(config):
    return [json.loads(line)["loss"] for line in (config.out / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", params=["heatmaps", "bins"])
def trained(request, small_data, tmp_path_factory):
    config = _config(small_data, tmp_path_factory.mktemp("run"), method=request.param)
    return config, train(config, progress=False)


@pytest.mark.parametrize("method", ["heatmaps", "bins"])
def test_training_lowers_the_loss(small_data, tmp_path, method):
    short = train(_config(small_data, tmp_path / "short", method=method), progress=False)
    longer = train(_config(small_data, tmp_path / "long", method=method, samples=480), progress=False)
    assert longer["validation_loss"] < short["validation_loss"] - 0.1


def test_equal_seeds_give_equal_weights(small_data, tmp_path, trained):
    config, _ = trained
    again = _config(small_data, tmp_path / "again", method=config.method)
    train(again, progress=False)
    whole, repeated = _weights(config), _weights(again)
    assert all(torch.equal(whole[name], repeated[name]) for name in whole)


def test_a_training_that_was_killed_ends_with_the_same_weights(small_data, tmp_path, monkeypatch, trained):
    whole, _ = trained
    config = _config(small_data, tmp_path, checkpoint_s=1e-9, method=whole.method)
    monkeypatch.setattr(training_module, "augment_batch", _failing_after(4, training_module.augment_batch))
    with pytest.raises(KeyboardInterrupt):
        train(config, progress=False)
    monkeypatch.undo()
    assert not (config.out / "weights.pt").exists()
    train(config, progress=False)
    steps = [json.loads(line)["step"] for line in (config.out / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]
    wanted, given = _weights(whole), _weights(config)
    assert all(torch.equal(wanted[name], given[name]) for name in wanted)


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


def test_two_processes_learn_what_one_learns_with_twice_the_batch(small_data, tmp_path):
    alone = _config(small_data, tmp_path / "alone", batch=16, samples=96)
    train(alone, progress=False)
    shared = _config(small_data, tmp_path / "shared", batch=8, samples=96)
    program = tmp_path / "program.py"
    program.write_text(TRAIN)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*launcher, program, shared.model_dump_json()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_allclose(_losses(shared), _losses(alone), rtol=2e-3)
    wanted, given = _weights(alone), _weights(shared)
    for name in wanted:
        torch.testing.assert_close(given[name], wanted[name], rtol=0.05, atol=0.02)


def test_a_finished_training_is_not_done_again(trained):
    config, metrics = trained
    before = (config.out / "log.jsonl").read_text()
    assert train(config, progress=False) == metrics
    assert (config.out / "log.jsonl").read_text() == before


def test_the_exported_bundle_gives_what_the_network_gives(trained, small_data, tmp_path):
    config, _ = trained
    exported = export(config, tmp_path)
    bundle = Bundle.load(exported.bundle.path)
    images = load_samples("fine", [small_data]).images[:3]
    network = objective_of(config).network.eval()
    network.load_state_dict(_weights(config))
    deployed = (DeployedNetwork if config.method == "heatmaps" else DeployedBins)(network)
    given, wanted = open_engine(bundle, "onnxruntime").run(images.numpy()), deployed(images).detach().numpy()
    np.testing.assert_allclose(given, wanted, atol=0.01)  # weights are stored in half precision
    assert given.shape == (3, *bundle.manifest.output_shape)
    assert f"localization-{bundle.path.name.replace('_', '-')}" in (bundle.path / "card.md").read_text()
    if config.method == "heatmaps":
        assert (np.exp(given).sum((-2, -1)) <= 1 + 1e-4).all()
        assert all(channel.noise.floor > 0 for channel in bundle.manifest.output.channels)
        bytewise = open_engine(bundle, "onnxruntime-cpu-int8").run(images.numpy())
        assert 0 < np.abs(np.exp(bytewise) - np.exp(wanted)).sum((2, 3)).mean() / 2 < 0.1
        kinds = [tensor.data_type for tensor in onnx.load(bundle.model_path("int8")).graph.initializer]
        assert kinds.count(onnx.TensorProto.INT8) > 5


def test_bins_begin_with_the_trunk_of_heat_maps(small_data, tmp_path):
    dense = _config(small_data, tmp_path / "dense")
    train(dense, progress=False)
    config = _config(
        small_data, tmp_path / "bins", method="bins", warm_start=dense.out / "weights.pt", samples=8, learning_rate=1e-9
    )
    train(config, progress=False)
    name = "trunk.stem.0.weight"
    torch.testing.assert_close(_weights(config)[f"dense.{name}"], _weights(dense)[name], atol=1e-6, rtol=0)


def test_heat_maps_may_help_bins_along(small_data, tmp_path):
    config = _config(small_data, tmp_path, method="bins", auxiliary=1.0, label_sigma=1.0, pool=2)
    metrics = train(config, progress=False)
    assert metrics["yaw_median_deg"] <= 90
    assert export(config, tmp_path / "models").bundle.manifest.output_shape == (60 + 60 + 90,)


def test_bins_that_read_maps_are_what_their_bundle_gives(small_data, tmp_path):
    config = _config(small_data, tmp_path, method="bins", auxiliary=1.0, label_sigma=1.0, read_maps=True)
    train(config, progress=False)
    network = objective_of(config).network.eval()
    network.load_state_dict(_weights(config))
    images = load_samples("fine", [small_data]).images[:3]
    given = open_engine(Bundle.load(export(config, tmp_path / "models").bundle.path)).run(images.numpy())
    np.testing.assert_allclose(given, DeployedBins(network)(images).detach().numpy(), atol=0.01)


def test_what_is_frozen_stays_as_the_heat_maps_have_it(small_data, tmp_path):
    dense = _config(small_data, tmp_path / "dense")
    train(dense, progress=False)
    before = {"warm_start": dense.out / "weights.pt", "read_maps": True, "frozen": True}
    config = _config(small_data, tmp_path / "bins", method="bins", label_sigma=1.0, learning_rate=0.01, **before)
    train(config, progress=False)
    kept, learned = _weights(dense), _weights(config)
    assert all(torch.equal(learned[f"dense.{name}"], value) for name, value in kept.items())
    fresh = objective_of(config).network.state_dict()
    assert not torch.equal(learned["heads.0.weight"], fresh["heads.0.weight"])


def test_what_is_frozen_begins_with_something(small_data, tmp_path):
    with pytest.raises(ValueError, match="frozen keeps the weights of warm_start, which is not given"):
        _config(small_data, tmp_path, method="bins", frozen=True)


def test_labels_of_bins_narrow_as_the_training_goes_on(small_data, tmp_path):
    config = _config(small_data, tmp_path, method="bins", first_label_sigma=6.0, label_sigma=1.0)
    objective = objective_of(config)
    assert [objective.label_sigma(done) for done in (0.0, 1 / 3, 2 / 3, 1.0)] == pytest.approx([6.0, 3.5, 1.0, 1.0])
    assert objective_of(config.model_copy(update={"first_label_sigma": 0.0})).label_sigma(0.0) == 1.0


def test_whether_there_is_a_block_is_measured_where_some_images_have_none(small_data, tmp_path, monkeypatch):
    objective = objective_of(_config(small_data, tmp_path))
    samples = load_samples("fine", [small_data]).part(slice(0, 4))
    said = _says_there_is_a_block([True, True, False, True], objective)
    monkeypatch.setattr(objective, "predict", lambda images: said)
    assert "block_not_seen" not in objective.evaluate(samples)
    samples.poses[:2] = torch.nan
    metrics = objective.evaluate(samples)
    assert (metrics["block_seen_where_none_is"], metrics["block_not_seen"]) == (1.0, 0.5)


def _says_there_is_a_block(answers, objective):
    places = torch.zeros(len(answers), len(objective.channels), 8, 8)
    absent = torch.where(torch.tensor(answers), -20.0, 20.0)[:, None].expand(-1, len(objective.channels))
    return places, absent


def test_a_batch_is_a_multiple_of_what_is_augmented_together(small_data, tmp_path):
    with pytest.raises(ValueError, match="give a multiple of it"):
        _config(small_data, tmp_path, batch=12)


def test_images_for_another_task_are_refused(small_data):
    with pytest.raises(ValueError, match="holds images of task fine, not of coarse"):
        load_samples("coarse", [small_data])


def test_exporting_before_training_says_what_to_do(small_data, tmp_path):
    with pytest.raises(BlockworldError, match="train first with `blockworld train localization-fine`"):
        export(_config(small_data, tmp_path), tmp_path / "models")
    with pytest.raises(BlockworldError, match="train first with `blockworld train localization-fine-bins`"):
        export(_config(small_data, tmp_path, method="bins"), tmp_path / "models")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_reads_its_configuration(name):
    recipe = RECIPES[name]
    assert recipe.summary
    assert recipe.config.is_file()
    assert dataclasses.is_dataclass(recipe)
    with pytest.raises(BlockworldError, match="colour"):
        recipe.run(recipe.config, ["colour=red"], recipe.config.parent)
