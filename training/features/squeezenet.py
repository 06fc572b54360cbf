"""SqueezeNet 1.0 (Iandola et al., 2016) for pictures (B, H, W, 3) uint8, with weights of either framework."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from perception.errors import BlockworldError
from training.art.weights import downloaded, read_tensors
from training.core.resnet import DEVIATION, MEAN

URL = "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth"
"""ImageNet weights as torchvision publishes them; its name ends with the beginning of its SHA-256."""
CLASSES = 1000
BGR_MEAN = (104.0, 117.0, 123.0)
"""Of pictures in [0, 255], for weights under the original names."""
_TORCHVISION = {"0": "conv1", "3": "fire2", "4": "fire3", "5": "fire4", "7": "fire5", "8": "fire6", "9": "fire7"} | {
    "10": "fire8",
    "12": "fire9",
}
"""Torchvision's numbers of `features`."""
_WIDTHS = {2: (96, 16, 64), 3: (128, 16, 64), 4: (128, 32, 128), 5: (256, 32, 128)} | {
    6: (256, 48, 192),
    7: (384, 48, 192),
    8: (384, 64, 256),
    9: (512, 64, 256),
}
"""Of each fire module: channels that come in, of its squeeze, and of each half of what goes out."""


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then 1x1 and 3x3 ones beside each other."""

    def __init__(self, width: int, squeezed: int, half: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, half, 1)
        self.expand3x3 = nn.Conv2d(squeezed, half, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> (B, 2 half, H, W)."""
        x = functional.relu(self.squeeze(x))
        return functional.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


class SqueezeNet(nn.Module):
    """(B, H, W, 3) uint8 RGB -> (B, CLASSES) logits."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 7, 2)
        for number, widths in _WIDTHS.items():
            self.add_module(f"fire{number}", Fire(*widths))
        self.conv10 = nn.Conv2d(512, CLASSES, 1)
        self.bgr = True
        self.register_buffer("mean", torch.tensor(BGR_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.ones(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        x = images.permute(0, 3, 1, 2).float()
        x = ((x.flip(1) if self.bgr else x) - self.mean) / self.deviation
        x = _pooled(functional.relu(self.conv1(x)))
        for number in _WIDTHS:
            x = self.get_submodule(f"fire{number}")(x)
            if number in (4, 8):
                x = _pooled(x)
        return functional.relu(self.conv10(x)).mean(dim=(2, 3))


def squeezenet(path: Path | None) -> SqueezeNet:
    """The network with ImageNet's weights, which are downloaded once, or those of a file: torchvision's .pth, for RGB,
    or an .npz or .pth of the original names (conv1.weight, fire2.squeeze.weight, ...), for BGR in [0, 255].

    Raises BlockworldError for a file that is neither, or where nothing can be downloaded.
    """
    given = downloaded(URL) if path is None else read_tensors(path)
    network, found = SqueezeNet(), _renamed(given)
    for name, one in network.state_dict().items():
        if name not in found or found[name].shape != one.shape:
            there = f"of shape {tuple(found[name].shape)}" if name in found else "not there"
            raise BlockworldError(
                f"{path or URL} is not of a SqueezeNet 1.0 ({name} is {there}, but should have {tuple(one.shape)}): "
                "give its weights as torchvision has them, or under their original names."
            )
    network.load_state_dict({name: found[name] for name in network.state_dict()})
    if any(name.startswith("features.") for name in given):
        network.bgr = False
        network.mean.copy_(255 * torch.tensor(MEAN).view(1, 3, 1, 1))
        network.deviation.copy_(255 * torch.tensor(DEVIATION).view(1, 3, 1, 1))
    return network.eval()


def _pooled(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, 2, ceil_mode=True)


def _renamed(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, one in given.items():
        match = re.match(r"features\.(\d+)\.(.*)", name)
        name = name.replace("classifier.1.", "conv10.") if match is None else f"{_TORCHVISION.get(match[1])}.{match[2]}"
        found[name] = one
    return found
