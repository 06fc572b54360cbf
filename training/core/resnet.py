"""ResNet-18 (He et al., CVPR 2016) for pictures (B, H, W, 3) uint8, of any width of its four stages."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1], as published weights have it."""
WIDTHS = (64, 128, 256, 512)
"""Channels of the published network's stages."""
_BLOCKS = 2  # of each stage
Norm = Callable[[int], nn.Module]
"""Of channels: what follows a convolution."""


class Block(nn.Module):
    """Two convolutions beside an identity, or beside a convolution of one pixel where size or width changes."""

    def __init__(self, width: int, out: int, stride: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.bn1 = norm(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = norm(out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or width != out:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), norm(out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, out, H / stride, W / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Stages(nn.Module):
    """(B, H, W, 3) uint8 RGB -> (B, C, h, w) of the last stage, whose cell (0, 0) is centred on pixel (0, 0).

    Of `WIDTHS`, the first of them or all, it is the published network as far as these stages. channels: of `planes`."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, widths: tuple[int, ...], channels: int = 3, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], 7, 2, 3, bias=False)
        self.bn1 = norm(widths[0])
        before = (widths[0], *widths[:-1])
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    *(Block(a if i == 0 else b, b, 2 if i == 0 and k > 0 else 1, norm) for i in range(_BLOCKS))
                )
                for k, (a, b) in enumerate(zip(before, widths, strict=True))
            )
        )
        mean, deviation = (255 * torch.tensor(one).view(1, 3, 1, 1) for one in (MEAN, DEVIATION))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        return self.planes((images.permute(0, 3, 1, 2).float() - self.mean) / self.deviation)

    def planes(self, x: Tensor) -> Tensor:
        """(B, channels, H, W), normalised -> the same."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.stages(x)


class ResNet18(Stages):
    """(B, H, W, 3) uint8 RGB -> (B, outputs): the mean over the last stage through a linear layer."""

    def __init__(self, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__(widths)
        self.fc = nn.Linear(widths[-1], outputs)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        return self.fc(super().forward(images).mean(dim=(2, 3)))
