"""Standardised features do not know what was done to all of a picture alike; weights and caches know of them."""

import numpy as np
import torch
from fixtures_art import published, random_backbone
from fixtures_art_features import picture
from torch import Tensor

from training.art.backbone import digest, open_backbone, to_onnx
from training.art.learning.weights_file import write_weights
from training.art.network import Network
from training.art.standardised import standardised


def _grid() -> Tensor:
    return torch.from_numpy(picture(1, scales=(20,)).grids[0])[None].float()


def _in_another_medium(grid: Tensor) -> Tensor:
    random = np.random.default_rng(0)
    shift, scale = 0.3 * random.normal(size=grid.shape[3]), random.uniform(0.5, 2, grid.shape[3])
    return torch.nn.functional.normalize(grid * torch.from_numpy(scale) + torch.from_numpy(shift), dim=3)


def _alike(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum(dim=3).mean())


def test_a_change_of_all_channels_is_all_but_undone():
    changed = _in_another_medium(_grid())
    assert _alike(_grid(), changed) < 0.6
    assert _alike(standardised(_grid()), standardised(changed)) > 0.9


def test_vectors_are_units_and_a_blank_picture_has_none():
    torch.testing.assert_close(standardised(_grid()).norm(dim=3), torch.ones(_grid().shape[:3]))
    blank = torch.full((1, 3, 3, 4), 0.5, requires_grad=True)
    found = standardised(blank)
    found.sum().backward()
    assert found.abs().max() == 0 and blank.grad is not None and blank.grad.isfinite().all()


def test_weights_say_that_they_are_for_standardised_features(tmp_path):
    torch.save(published(random_backbone()), tmp_path / "plain.pth")
    plain = open_backbone(tmp_path / "plain.pth")
    backbone = open_backbone(tmp_path / "plain.pth", standardise=True)
    write_weights(backbone, tmp_path / "learned.pth")
    again = open_backbone(tmp_path / "learned.pth")
    assert digest(again) == digest(backbone) != digest(plain)
    image = torch.randint(0, 256, (1, 79, 95, 3), dtype=torch.uint8)
    with torch.inference_mode():
        wanted = standardised(plain(image))
        torch.testing.assert_close(again(image), wanted)
    found = Network(to_onnx(again), "onnxruntime-cpu").run(image[0].numpy())
    torch.testing.assert_close(torch.from_numpy(found), wanted[0], atol=1e-3, rtol=0)
