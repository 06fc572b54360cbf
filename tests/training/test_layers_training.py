"""Networks for layers learn, go on where they were, and their bundles compute what they compute."""

import numpy as np
import pytest
import torch
from fixtures_art import published, random_backbone
from fixtures_layers import pictures_in, small_bundle, small_config

from perception.errors import BlockworldError
from perception.layers.network import LayersNetwork
from training.core.checkpoint import save_checkpoint
from training.layers.config import PerceptualConfig, PicturesConfig
from training.layers.evaluate import held_out_error
from training.layers.model import LayersModel
from training.layers.perceptual import PerceptualLoss
from training.layers.scenes import augmented, leaves
from training.layers.sources import PictureSet
from training.layers.train import train


@pytest.mark.parametrize("structure", ["recursive", "one_shot", "single"])
def test_every_structure_learns(tmp_path, structure):
    config = small_config(tmp_path / "pictures", tmp_path / structure, structure=structure, pictures=160)
    torch.manual_seed(config.seed)
    held_out = PictureSet.opened(config.data, True)
    before = held_out_error(LayersModel(config), config, held_out)["held_out_l1"]
    assert train(config, progress=False)["held_out_l1"] < before


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, monkeypatch):
    config = small_config(tmp_path / "pictures", tmp_path / "whole")
    train(config, progress=False)
    halves = config.model_copy(update={"out": tmp_path / "halves"})

    def interrupted(path, state):
        save_checkpoint(path, state)
        if state.get("done") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("training.layers.train.save_checkpoint", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(halves.model_copy(update={"checkpoint_s": 1e-9}), progress=False)
    train(halves, progress=False)
    first, second = (torch.load(one.out / "weights.pt", weights_only=True) for one in (config, halves))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_bundle_computes_what_the_network_does(tmp_path):
    torch.manual_seed(0)
    config = small_config(tmp_path / "pictures", tmp_path / "runs")
    model = LayersModel(config).eval()
    network = LayersNetwork(small_bundle(tmp_path))
    points, parameters = torch.rand(7, 2) * 2 - 1, torch.randn(3, 6)
    with torch.no_grad():
        wanted = model.masks(points, parameters)[..., 0].numpy()
    np.testing.assert_allclose(network.logits(points.numpy(), parameters.numpy()), wanted, atol=0.02)


def test_a_tenth_is_held_out_by_name_and_none_of_it_trained_on(tmp_path):
    config = PicturesConfig(source=pictures_in(tmp_path / "pictures", 60), size_px=16)
    seen, held_out = (set(PictureSet.opened(config, one).names) for one in (False, True))
    assert len(seen | held_out) == 60 and not seen & held_out and 1 <= len(held_out) <= 15


def test_made_pictures_are_those_of_their_seed_and_multiplied_with_how_opaque_they_are():
    for make in (lambda rng: leaves(rng, 32), lambda rng: augmented(rng, leaves(rng, 32))):
        for seed in range(5):
            a, b = (make(np.random.default_rng(seed)) for _ in range(2))
            np.testing.assert_array_equal(a, b)
            assert (a[..., :3].max(axis=2) <= a[..., 3].astype(int) + 1).all()


def test_a_budget_gives_the_parameters_of_a_mask_and_too_small_a_one_is_refused(tmp_path):
    config = small_config(tmp_path / "pictures", tmp_path, budget=100, layers=10)
    assert config.mask_parameters == 7 and config.numbers == 100
    with pytest.raises(ValueError, match="at least 40"):
        small_config(tmp_path / "pictures", tmp_path, budget=30, layers=10)


def test_a_source_without_pictures_is_refused(tmp_path):
    with pytest.raises(BlockworldError, match="has no pictures"):
        PictureSet.opened(PicturesConfig(source=tmp_path), False)


def test_a_perceptual_loss_is_nothing_for_equal_pictures_and_pulls_others_together(tmp_path):
    torch.save(published(random_backbone()), tmp_path / "weights.pth")
    weights = PerceptualConfig(weights=tmp_path / "weights.pth")
    loss, wanted = PerceptualLoss(weights), torch.rand(2, 32 * 32, 4)
    assert float(loss(wanted, wanted, 32)) == 0
    found = torch.rand(2, 32 * 32, 4, requires_grad=True)
    before = loss(found, wanted, 32)
    before.backward()
    with torch.no_grad():
        step = 1e-2 * found.grad / found.grad.norm()
        assert 0 < float(loss(found - step, wanted, 32)) < float(before)
    config = small_config(tmp_path / "pictures", tmp_path / "run", stride=1, perceptual=weights, pictures=8)
    assert np.isfinite(train(config, progress=False)["held_out_l1"])
