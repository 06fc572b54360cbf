"""What two pictures look like: distances between features of a network, and between their Gram matrices.

Content and style after Gatys, Ecker and Bethge (CVPR 2016), with the features of a ResNet-18, on white where pictures
are transparent.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.art.weights import load_weights
from training.core.resnet import DEVIATION, MEAN, WIDTHS, Stages
from training.layers.config import PerceptualConfig


class PerceptualLoss(nn.Module):
    """Pictures (B, side * side, C) in [0, 1], found and wanted -> weight (content + gram style)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: PerceptualConfig) -> None:
        super().__init__()
        self.config = config
        self.stages = Stages(WIDTHS[: config.stages])
        load_weights(self.stages, config.weights)
        self.stages.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, found: Tensor, wanted: Tensor, side: int) -> Tensor:
        """See the class."""
        a = self._features(found, side)
        with torch.no_grad():
            b = self._features(wanted, side)
        content = torch.stack([functional.l1_loss(x, y) for x, y in zip(a, b, strict=True)]).mean()
        style = torch.stack([functional.l1_loss(_gram(x), _gram(y)) for x, y in zip(a, b, strict=True)]).mean()
        return self.config.weight * (content + self.config.gram * style)

    def _features(self, pictures: Tensor, side: int) -> list[Tensor]:
        planes = pictures.transpose(1, 2).view(pictures.shape[0], -1, side, side)
        if planes.shape[1] == 4:
            planes = planes[:, :3] + 1 - planes[:, 3:]
        own = self.stages
        x = functional.relu(own.bn1(own.conv1((planes - self.mean) / self.deviation)))
        x = functional.max_pool2d(x, 3, 2, 1)
        found = []
        for stage in own.stages:
            x = stage(x)
            found.append(functional.normalize(x.float(), dim=1))
        return found


def _gram(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C): how often features come together."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2] * x.shape[1]
