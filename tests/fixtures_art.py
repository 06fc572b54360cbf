"""Pictures in every shape that scans come in, and weights that nobody trained."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training.art.backbone import ResNetBackbone

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
IMAGENET = _SHARED / "backbones" / "resnet18_imagenet_conv1-layer3_bnfolded.npz"
"""Published weights, where this machine has them."""


def scan(seed: int = 0, width: int = 96, height: int = 64) -> Image.Image:
    """Patches of colour, smooth within each."""
    patches = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return Image.fromarray(patches.repeat(16, 0).repeat(16, 1))


def random_backbone(seed: int = 0) -> ResNetBackbone:
    """Weights and statistics of batch norms drawn from a seed."""
    torch.manual_seed(seed)
    backbone = ResNetBackbone()
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            for one in (module.bias, module.running_mean):
                torch.nn.init.normal_(one, std=0.1)
    return backbone.eval()


def published(backbone: ResNetBackbone) -> dict[str, torch.Tensor]:
    """Its weights under the names that torchvision gives them, with those of what follows."""
    named = {}
    for name, one in backbone.stages.state_dict().items():
        first, _, rest = name.partition(".")
        if first == "stages":
            number, _, rest = rest.partition(".")
            named[f"layer{int(number) + 1}.{rest}"] = one
        elif first not in ("mean", "deviation"):
            named[name] = one
    return named | {"layer4.0.conv1.weight": torch.zeros(512, 256, 3, 3), "fc.weight": torch.zeros(1000, 512)}
