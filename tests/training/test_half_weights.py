"""Weights in half precision: half the file, the same network."""

import numpy as np
import onnxruntime
import torch
from torch import nn

from training.core.half_weights import with_half_weights
from training.localization.export import to_onnx


class Small(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.convolutions = nn.Sequential(nn.Conv2d(3, 48, 3), nn.ReLU(), nn.Conv2d(48, 4, 3))
        with torch.no_grad():
            self.convolutions[0].weight *= gain

    def forward(self, image):
        return self.convolutions(image.permute(0, 3, 1, 2).float() / 255)


def run(model, images):
    return onnxruntime.InferenceSession(model).run(None, {"image": images})[0]


def test_the_file_is_half_and_the_network_the_same():
    torch.manual_seed(0)
    model = to_onnx(Small(1.0), 16, 16, "maps")
    half = with_half_weights(model)
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    wanted = run(model, images)
    np.testing.assert_allclose(run(half, images), wanted, atol=2e-3 * np.abs(wanted).max())
    assert not np.array_equal(run(half, images), wanted)
    assert len(half) < 0.75 * len(model)


def test_weights_beyond_half_precision_stay():
    torch.manual_seed(0)
    model = to_onnx(Small(1e8), 16, 16, "maps")
    assert with_half_weights(model) == model
