"""phi learned on pairs: what it gains, when it ends, and files that are not for these features."""

import numpy as np
import pytest
import torch

from perception.errors import BlockworldError
from training.features.adapt import held_out
from training.features.adaptation import Adaptation, AdaptationConfig, learn, loss_of, phi

KINDS = ("relu", "affine", "convolutional", "deep")


def changed(count=80, channels=6, seed=0, noise=0.0):
    """Features that are not negative, and what a matrix near the identity makes of them."""
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(size=(count, channels, 3, 3))).astype(np.float32)
    matrix = np.eye(channels) + 0.4 * np.random.default_rng(9).normal(size=(channels, channels))
    y = np.maximum(np.einsum("oc,bchw->bohw", matrix, x) + noise * rng.normal(size=x.shape), 0)
    return x, y.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_before_it_is_learned_phi_leaves_features_as_they_are(kind):
    x = torch.from_numpy(changed()[0])
    torch.testing.assert_close(phi(kind, 6)(x), x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["cosine", "l2"])
def test_what_changed_features_is_learned_for_pairs_held_out_too(kind, loss):
    config = AdaptationConfig(kind=kind, loss=loss, regularisation=0.0, rate=0.01, epochs=60, batch=16)
    _, learned = learn(*changed(), held_out(80, 10), config)
    assert learned.validation < 0.4 * learned.validation_before
    assert learned.found >= learned.found_before


def test_without_anything_to_learn_it_ends_early_and_is_no_worse_than_without():
    rng = np.random.default_rng(1)
    x, y = (np.abs(rng.normal(size=(40, 8, 3, 3))).astype(np.float32) for _ in range(2))
    config = AdaptationConfig(kind="convolutional", regularisation=0.0, rate=0.05, patience=5)
    module, learned = learn(x, y, held_out(40, 10), config)
    assert learned.epochs < config.epochs and learned.validation <= learned.validation_before
    assert learned.training < learned.training_before or learned.kept_epoch == 0
    held = held_out(40, 10)
    with torch.no_grad():
        again = float(loss_of("cosine", module(torch.from_numpy(x[held])), torch.from_numpy(y[held])))
    assert again == pytest.approx(learned.validation, rel=1e-5)


def test_regularisation_keeps_weights_near_the_identity():
    away = []
    for regularisation in (0.0, 1000.0):
        config = AdaptationConfig(kind="affine", regularisation=regularisation, rate=0.01, epochs=30)
        module, _ = learn(*changed(), held_out(80, 10), config)
        away.append(float((module[0].weight[..., 0, 0].detach() - torch.eye(6)).square().mean()))
    assert away[1] < 0.1 * away[0]


def test_the_cosine_loss_does_not_see_lengths_and_l2_does():
    x = torch.from_numpy(changed()[0])
    assert float(loss_of("cosine", 3 * x, x)) == pytest.approx(0, abs=1e-6)
    assert float(loss_of("l2", 3 * x, x)) == pytest.approx(4, rel=1e-5)


def test_no_model_is_in_both_splits():
    held, models = held_out(23, 10), np.arange(23) % 10
    assert not set(models[held]) & set(models[~held]) and held.any()


def test_pairs_of_one_split_are_refused():
    with pytest.raises(BlockworldError, match="make more pairs"):
        learn(*changed(), np.zeros(80, bool), AdaptationConfig())


def test_a_file_gives_the_same_features_and_says_how_it_was_learned(tmp_path):
    x, y = changed()
    module, learned = learn(x, y, held_out(80, 10), AdaptationConfig(kind="deep", epochs=3))
    (tmp_path / "phi.npz").write_bytes(Adaptation(module, "deep", "resnet18", "stages.2", learned).content())
    again = Adaptation.load(tmp_path / "phi.npz", "resnet18", "stages.2")
    with torch.no_grad():
        np.testing.assert_array_equal(again(x), module(torch.from_numpy(x)).numpy())
    assert again.learned == learned


@pytest.mark.parametrize("asked", [("squeezenet", "fire9"), ("resnet18", "stages.1")])
def test_an_adaptation_of_another_backbone_is_refused(tmp_path, asked):
    (tmp_path / "phi.npz").write_bytes(Adaptation(phi("relu", 4), "relu", "resnet18", "stages.2").content())
    with pytest.raises(BlockworldError, match=r"is for features of resnet18, layer stages\.2, and not of"):
        Adaptation.load(tmp_path / "phi.npz", *asked)


def test_a_file_that_is_no_adaptation_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "other.npz", weight=np.zeros(3))
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(BlockworldError, match="holds no adaptation"):
            Adaptation.load(tmp_path / name, "resnet18", "stages.2")
