"""Weights as torchvision publishes them and folded ones give the same network, and files that hold others are told."""

import os

import numpy as np
import pytest
import torch
from fixtures_art import IMAGENET, published, random_backbone
from torch.nn.utils.fusion import fuse_conv_bn_weights

from perception.errors import BlockworldError
from training.art.backbone import digest, open_backbone
from training.art.features import SCALES, STRIDE, cell_centres, side_px


def looked_at(backbone, height, width):
    """What the backbone makes of random pixels, which carry gradients."""
    image = (255 * torch.rand(1, height, width, 3)).requires_grad_()
    return image, backbone(image)


def save_folded(backbone, path):
    """As files without batch norms have it."""
    named, folded = published(backbone), {}
    norms = {"downsample.0": "downsample.1", "conv1": "bn1", "conv2": "bn2"}
    for name, weight in named.items():
        layer = name.removesuffix(".weight")
        norm = next((layer.removesuffix(end) + norms[end] for end in norms if layer.endswith(end)), "")
        if f"{norm}.running_var" in named:
            mean, variance, scale, shift = (
                named[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
            )
            made = fuse_conv_bn_weights(weight, None, mean, variance, 1e-5, scale, shift)
            folded |= {f"{layer}.weight": made[0].detach().numpy(), f"{layer}.bias": made[1].detach().numpy()}
    np.savez(path, **folded)


def test_published_and_folded_weights_give_the_same_features(tmp_path, backbone):
    torch.save(published(backbone), tmp_path / "whole.pth")
    save_folded(backbone, tmp_path / "folded.npz")
    image = torch.randint(0, 256, (1, 79, 47, 3), dtype=torch.uint8)
    with torch.no_grad():
        wanted = backbone(image)
        for name in ("whole.pth", "folded.npz"):
            torch.testing.assert_close(open_backbone(tmp_path / name)(image), wanted, atol=1e-5, rtol=0)
    np.testing.assert_allclose(wanted.square().sum(dim=3), 1.0, atol=1e-5)


def test_without_a_file_the_published_weights_are_downloaded_and_checked(monkeypatch, backbone):
    asked = {}

    def download(url, **options):
        asked.update(options, url=url)
        return published(backbone)

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    assert digest(open_backbone()) == digest(backbone)
    assert asked["url"].endswith("resnet18-f37072fd.pth") and asked["check_hash"] and asked["weights_only"]


def test_without_a_network_the_way_out_is_told(monkeypatch):
    def offline(url, **_):
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(BlockworldError, match=r"cannot be had \(Name or service not known\): .* with --weights\.$"):
        open_backbone()


class Marks:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("text.pth", "holds no weights"),
        ("text.npz", "holds no weights"),
        ("code.pth", "holds no weights, or more than weights"),
        ("objects.npz", "holds no weights"),
        ("list.pth", "something else than tensors by name"),
        ("missing.pth", r"is not of a ResNet-18 \(stages.2.1.conv2.weight is not there"),
        ("other.pth", r"is not of a ResNet-18 \(conv1.weight is of shape \(64, 3, 3, 3\)"),
        ("nan.pth", r"not finite in stages.0.0.bn1.bias"),
        ("gone.pth", "cannot be read"),
    ],
)
def test_a_file_of_something_else_is_told(tmp_path, backbone, name, told):
    path, named = tmp_path / name, published(backbone)
    if name.startswith("text"):
        path.write_text("no weights")
    elif name == "code.pth":
        torch.save({"conv1.weight": Marks(tmp_path / "ran")}, path)
    elif name == "objects.npz":
        np.savez(path, conv1=np.array([{}], dtype=object))
    elif name == "list.pth":
        torch.save([1, 2], path)
    elif name != "gone.pth":
        named = {key: one for key, one in named.items() if name != "missing.pth" or key != "layer3.1.conv2.weight"}
        if name == "other.pth":
            named["conv1.weight"] = torch.zeros(64, 3, 3, 3)
        if name == "nan.pth":
            named["layer1.0.bn1.bias"] = torch.full((64,), torch.nan)
        torch.save(named, path)
    with pytest.raises(BlockworldError, match=told) as error:
        open_backbone(path)
    assert str(error.value).endswith("give a .pth or .pt file of torchvision, or an .npz file.")
    assert not (tmp_path / "ran").exists()


def test_other_weights_have_another_digest(backbone):
    assert digest(random_backbone()) == digest(backbone) != digest(random_backbone(1))


@pytest.mark.parametrize("cells", [*SCALES, 1, 2])
def test_a_side_gives_its_number_of_cells(backbone, cells):
    image = torch.zeros(1, side_px(cells), side_px(2), 3, dtype=torch.uint8)
    with torch.no_grad():
        assert backbone(image).shape == (1, cells, 2, 256)


def test_cells_look_where_their_centres_are(backbone):
    """By the gradient: on average over channels a cell sees as much on one side of its middle as on the other."""
    torch.manual_seed(0)
    before, cells, middle = (STRIDE - 1) // 2, 24, 12
    side = side_px(cells)
    weights = np.zeros((side - before, side - before))
    for _ in range(4):
        image, found = looked_at(backbone, side - before, side - before)
        assert found.shape[1:3] == (cells, cells)
        (found[0, middle, middle] * torch.randn(256)).sum().backward()
        weights += image.grad[0].abs().sum(dim=2).numpy()
    places = (before + np.arange(side - before) + 0.5) / side
    centre = [(weights.sum(axis=axis) * places).sum() / weights.sum() for axis in (0, 1)]
    np.testing.assert_allclose(centre, cell_centres((cells, cells))[middle, middle], atol=1.0 / side)


@pytest.mark.skipif(not IMAGENET.exists(), reason=f"{IMAGENET} is not on this machine")
def test_published_weights_see_edges_with_their_first_layer():
    """Trained filters are smooth: neighbouring weights are alike, which random ones are not."""
    filters = open_backbone(IMAGENET).stages.conv1.weight.detach()
    along = torch.nn.functional.cosine_similarity(filters[..., 1:].flatten(1), filters[..., :-1].flatten(1))
    assert along.median() > 0.3
