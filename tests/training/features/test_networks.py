"""Layers of torch modules and ONNX files by name, and networks that are not what they are said to be."""

import numpy as np
import onnxruntime
import pytest
import torch
from fixtures_art import IMAGENET
from torch import nn

from perception.bundle import Bundle, default_models_dir
from perception.errors import BlockworldError
from training.features.networks import GRID, TorchNetwork, checked_layers, open_network
from training.features.squeezenet import CLASSES, SqueezeNet, squeezenet

SQUEEZENET = IMAGENET.with_name("squeezenet1_0_imagenet.npz")


def pictures(size=64, count=2):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def small():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(5))
    return TorchNetwork("small", module, prepare=lambda images: images.permute(0, 3, 1, 2).float())


def fewer_pixels():
    """What --network MODULE:FUNCTION names in a test."""
    return nn.Sequential(nn.Conv2d(3, 2, 5), nn.ReLU())


def test_features_are_what_a_layer_gives_before_the_next_changes_it_in_place():
    network = small()
    assert network.layers(16) == ("0", "1", "2", "3")
    found = network.features(pictures(16), ("0", "1"))
    before, after = (found[name] for name in ("0", "1"))
    assert before.min() < 0 <= after.min() and before.shape == (2, 4, GRID, GRID)


def test_layers_come_in_the_order_in_which_they_are_computed():
    assert checked_layers(small(), ("3", "1"), 16) == ("1", "3")


def test_an_unknown_layer_is_refused_with_those_that_there_are():
    with pytest.raises(BlockworldError, match=r"small has no layer 'fc9': choose of 0, 1, 2, 3\."):
        checked_layers(small(), ("fc9",), 16)


def test_a_module_of_any_package_is_opened_by_name():
    network = open_network(f"{__name__}:{fewer_pixels.__name__}")
    assert network.features(pictures(9), ("1",))["1"].shape == (2, 2, 5, 5)


@pytest.mark.parametrize("name", ["resnet99", "coarse:", "no_such_package:model", "missing.onnx", ""])
def test_a_network_that_there_is_not_is_one_sentence(name):
    with pytest.raises(BlockworldError) as caught:
        open_network(name)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize("name", ["resnet18", "squeezenet"])
def test_missing_weights_are_one_sentence(name, tmp_path):
    with pytest.raises(BlockworldError, match=r"nothing\.pth do not exist: name a"):
        open_network(name, tmp_path / "nothing.pth")


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "other.pth")
    with pytest.raises(BlockworldError, match="is not of a SqueezeNet"):
        open_network("squeezenet", tmp_path / "other.pth")


def test_pictures_smaller_than_what_a_network_sees_are_refused(tmp_path):
    torch.save(SqueezeNet().state_dict(), tmp_path / "random.pth")
    with pytest.raises(BlockworldError, match="pictures of 4 px are too small for squeezenet"):
        checked_layers(open_network("squeezenet", tmp_path / "random.pth"), (), 4)


def test_both_names_of_squeezenets_weights_give_the_same_network_but_for_its_colours(tmp_path):
    torch.manual_seed(0)
    own = SqueezeNet().eval()
    numbers = {"conv1": "features.0", "conv10": "classifier.1"} | {
        f"fire{k}": f"features.{number}" for k, number in zip(range(2, 10), (3, 4, 5, 7, 8, 9, 10, 12), strict=True)
    }
    named = {}
    for name, one in own.state_dict().items():
        layer, _, rest = name.partition(".")
        named[f"{numbers[layer]}.{rest}"] = one
    torch.save(named, tmp_path / "torchvision.pth")
    other = squeezenet(tmp_path / "torchvision.pth")
    for name, one in own.state_dict().items():
        assert torch.equal(one, other.state_dict()[name])
    assert (own.bgr, other.bgr) == (True, False)
    with torch.inference_mode():
        assert other(torch.from_numpy(pictures())).shape == (2, CLASSES)


def test_an_onnx_files_inner_tensors_do_not_change_what_it_gives():
    bundle = Bundle.load(default_models_dir() / "coarse")
    network = open_network("coarse")
    output = "log_heatmaps"
    both = network.features(pictures(192), ("relu_16", output))
    images = np.pad(pictures(192), ((0, 0), (0, 0), (32, 32), (0, 0)), "edge")
    session = onnxruntime.InferenceSession(bundle.network(), providers=["CPUExecutionProvider"])
    maps = session.run([output], {session.get_inputs()[0].name: images})[0]
    expected = nn.functional.adaptive_avg_pool2d(torch.from_numpy(maps), GRID).numpy()
    np.testing.assert_allclose(both[output], expected, rtol=1e-4, atol=1e-3)
    assert both["relu_16"].min() >= 0 and network.default_layers[-2] == "relu_16"


@pytest.mark.skipif(not SQUEEZENET.is_file(), reason="the published weights of SqueezeNet are not on this machine")
def test_published_weights_give_class_scores_that_differ_between_pictures():
    logits = open_network("squeezenet", SQUEEZENET).features(pictures(227), ("conv10",))["conv10"]
    assert logits.shape == (2, CLASSES, GRID, GRID) and np.isfinite(logits).all() and logits.std() > 0.5
