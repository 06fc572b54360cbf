"""What makes features of pictures: a network with a stride, as a rule ResNet-18 as far as its third stage (conv4)."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.art.features import STRIDE
from training.art.standardised import standardised
from training.art.weights import STANDARDISED, load_weights
from training.core.onnx_export import exported
from training.core.resnet import WIDTHS, Stages

_LARGEST_SIDE_PX = 8192


class Backbone(Protocol):
    """(B, H, W, 3) uint8 RGB -> (B, h, w, C) unit vectors, h = ceil(H / stride) and w = ceil(W / stride).

    An `nn.Module`, any with a stride: cell (i, j) is centred on pixel (stride i, stride j).
    """

    stride: int

    def __call__(self, images: Tensor) -> Tensor: ...

    def state_dict(self) -> Mapping[str, Tensor]: ...


class ResNetBackbone(nn.Module):
    """ResNet-18 as far as conv4: 256 channels, stride 16."""

    stride = STRIDE

    def __init__(self, standardise: bool = False) -> None:
        """standardise: whether channels are standardised in each grid (`training.art.standardised`)."""
        super().__init__()
        self.stages = Stages(WIDTHS[:3])
        self.standardise = standardise
        if standardise:  # with the weights, so that files, caches and checkpoints of such features are told apart
            self.register_buffer(STANDARDISED, torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        found = functional.normalize(self.stages(images), dim=1).permute(0, 2, 3, 1)
        return standardised(found) if self.standardise else found


def open_backbone(weights: Path | None = None, standardise: bool = False) -> ResNetBackbone:
    """ResNet-18 with the weights of a file, or of ImageNet; ready to infer. Raises BlockworldError as `load_weights`
    does.

    standardise: whether its features are standardised; those of weights that were learned so are in either case.
    """
    stages = Stages(WIDTHS[:3])
    learned_so = load_weights(stages, weights)
    backbone = ResNetBackbone(standardise or learned_so)
    backbone.stages = stages
    return backbone.eval()


def digest(backbone: Backbone) -> str:
    """SHA-256 of its weights, in hexadecimal digits: features of one backbone are told from those of another by it."""
    sha = hashlib.sha256(f"stride {backbone.stride}".encode())
    for name, one in sorted(backbone.state_dict().items()):
        array = one.detach().cpu().contiguous().numpy()
        sha.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return sha.hexdigest()


def to_onnx(backbone: Backbone) -> bytes:
    """The backbone for one picture (1, H, W, 3) of any size, as input "image", to (1, h, w, C), "features"."""
    height, width = (torch.export.Dim(name, min=1, max=_LARGEST_SIDE_PX) for name in ("height", "width"))
    example = torch.zeros(1, 79, 95, 3, dtype=torch.uint8)
    assert isinstance(backbone, nn.Module)
    return exported(backbone, (example,), ["features"], {"image": {1: height, 2: width}})
