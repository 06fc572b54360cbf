"""A few steps of the real recipe, from shapes to bundles that the runtime runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from perception.bundle_folder import default_models_dir
from perception.configuration import read_configuration
from perception.errors import BlockworldError
from perception.shapes.bundle import ShapeBundle
from perception.shapes.deformation import DeformationNetwork as Runtime
from training.recipes import RECIPES
from training.shapes import train as training_module
from training.shapes.config import ShapesConfig
from training.shapes.export import export
from training.shapes.sampling import sample
from training.shapes.shape_set import ShapeSet, ShapeSetConfig
from training.shapes.sources import open_source
from training.shapes.train import network_of, train

MODELS = default_models_dir()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bowls")


def config_of(folder, out, **changes) -> ShapesConfig:
    values = {
        "category": "bowl",
        "data": ShapeSetConfig(folder=folder / "shapes", shapes=48, places=512, part=20, batch=10),
        "validation": ShapeSetConfig(folder=folder / "held_out", shapes=16, places=512, seed=1),
        "out": out,
        "encoder": (16, 32, 64),
        "decoder": (64, 32, 16),
        "latent": 24,
        "points": 128,
        "places": 96,
        "template_vertices": 200,
        "shapes": 160,
        "batch": 16,
        "micro_batch": 8,
        "warm_steps": 3,
    }
    return ShapesConfig(**(values | changes))


def losses(config):
    return [json.loads(line)["loss"] for line in (config.out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_training_brings_held_out_shapes_closer(folder, tmp_path, optimiser):
    how = {"optimiser": optimiser, "learning_rate": 4e-3}
    short = train(config_of(folder, tmp_path / "short", shapes=32, **how), progress=False)
    longer = train(config_of(folder, tmp_path / "long", shapes=1600, **how), progress=False)
    assert longer["held_out_mean_m"] < 0.5 * short["held_out_mean_m"]


@pytest.mark.parametrize("supervision", ["chamfer", "regularized"])
def test_training_without_correspondences_lowers_its_loss(folder, tmp_path, supervision):
    config = config_of(folder, tmp_path, supervision=supervision, shapes=1600, warm_steps=20)
    train(config, progress=False)
    after_warm_start = losses(config)[2:]
    assert after_warm_start[-1] < 0.7 * after_warm_start[0]


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(folder, tmp_path, monkeypatch, optimiser):
    whole = config_of(folder, tmp_path / "whole", optimiser=optimiser)
    train(whole, progress=False)
    broken = config_of(folder, tmp_path / "broken", optimiser=optimiser, checkpoint_s=1e-9)
    steps = 0

    def failing(*arguments):
        nonlocal steps
        steps += 1
        if steps == 5:
            raise KeyboardInterrupt
        return sample(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training_module, "sample", failing)
        train(broken, progress=False)
    train(broken, progress=False)
    first, second = (torch.load(one.out / "weights.pt", weights_only=True) for one in (whole, broken))
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, atol=0, rtol=0, msg=name)


def test_a_set_of_shapes_is_the_same_after_an_interruption(folder, tmp_path):
    source = open_source("bowl")
    config = ShapeSetConfig(folder=tmp_path / "set", shapes=24, places=64, part=10, batch=5)
    whole = ShapeSet.built(config, lambda: source, progress=False)
    expected = whole.shapes(torch.arange(24), torch.arange(64))
    (tmp_path / "set" / "shapes-00001.npy").unlink()
    again = ShapeSet.built(config, lambda: source, progress=False)
    assert torch.equal(again.shapes(torch.arange(24), torch.arange(64)), expected)


def test_a_set_of_another_configuration_is_refused(tmp_path):
    source = open_source("bowl")
    ShapeSet.built(ShapeSetConfig(folder=tmp_path, shapes=4, places=64), lambda: source, progress=False)
    with pytest.raises(BlockworldError, match="another configuration: delete it"):
        ShapeSet.built(ShapeSetConfig(folder=tmp_path, shapes=4, places=32), lambda: source, progress=False)


def test_training_goes_on_from_a_bundle(folder, tmp_path):
    first = config_of(folder, tmp_path / "first", shapes=800, optimiser="muon", learning_rate=4e-3)
    before = train(first, progress=False)["held_out_mean_m"]
    export(first, tmp_path / "models", "shapes_bowl")
    for number, source in enumerate((tmp_path / "models" / "shapes_bowl", first.out / "weights.pt")):
        on = config_of(folder, tmp_path / f"on_{number}", shapes=16, learning_rate=1e-9, warm_start=source)
        assert train(on, progress=False)["held_out_mean_m"] == pytest.approx(before, rel=5e-3)


@pytest.mark.parametrize(
    "source, message",
    [
        (Path("none/weights.pt"), "warm_start none/weights.pt does not exist: give a weights.pt or the folder"),
        (MODELS / "shapes_pan", "shapes_pan has a network of another size: give this one its encoder"),
        (MODELS / "block", "is wrong at task .*export the bundle again"),
        (MODELS / "shapes_pan" / "card.md", "cannot be read, is damaged"),
    ],
)
def test_weights_that_are_none_or_another_networks_are_refused(folder, tmp_path, source, message):
    with pytest.raises(BlockworldError, match=message):
        train(config_of(folder, tmp_path, warm_start=source), progress=False)


def test_the_exported_networks_compute_what_was_trained_and_the_gradient_of_autograd(folder, tmp_path):
    config = config_of(folder, tmp_path / "run")
    train(config, progress=False)
    bundle = export(config, tmp_path / "models", "shapes_bowl")
    runtime = Runtime(ShapeBundle.load(bundle.path))
    network = network_of(config)
    weights = torch.load(config.out / "weights.pt", weights_only=True)
    network.load_state_dict({name: one.half().float() if one.numel() >= 1024 else one for name, one in weights.items()})
    torch.manual_seed(0)
    points, template = torch.randn(3, 77, 3), torch.randn(33, 3)
    weight, target = torch.rand(3, 33, 1), torch.randn(3, 33, 3)
    code = network.encoder(points).detach()
    np.testing.assert_allclose(runtime.encode(points.numpy()), code.numpy(), atol=2e-5)
    latent = code.clone().requires_grad_()
    deformed = network.decoder(template, latent)
    deformed.backward(weight * deformed.detach() - target)
    found, gradient = runtime.decode_with_gradient(code.numpy(), template.numpy(), weight.numpy(), target.numpy())
    np.testing.assert_allclose(found, deformed.detach().numpy(), atol=2e-5)
    np.testing.assert_allclose(gradient, latent.grad.numpy(), atol=2e-4)


def test_a_network_that_was_not_trained_is_not_exported(folder, tmp_path):
    with pytest.raises(BlockworldError, match="train first with `blockworld train shapes-bowl`"):
        export(config_of(folder, tmp_path / "nothing"), tmp_path, "shapes_bowl")


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"batch": 20, "micro_batch": 8}, "no multiple"), ({"points": 500}, "are more than the 512")],
)
def test_configurations_that_do_not_go_together_are_refused(folder, tmp_path, changes, told):
    with pytest.raises(ValueError, match=told):
        config_of(folder, tmp_path, **changes)


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("shapes-")])
def test_every_recipe_of_shapes_has_a_configuration_that_is_valid(name):
    config = read_configuration(ShapesConfig, RECIPES[name].config, ())
    assert name.startswith(f"shapes-{config.category}")
    assert config.unsupervised == name.endswith(("-unsupervised", "-chamfer"))
    assert f"blockworld train {name}" in RECIPES[name].config.read_text()
