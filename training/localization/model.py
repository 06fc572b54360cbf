"""A small residual network with a top-down decoder that gives one heat map per keypoint."""

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity (He et al., CVPR 2016, figure 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return functional.relu(x + self.second(self.first(x)))


class HeatmapNetwork(nn.Module):
    """Images -> one map of logits per keypoint at a quarter of their size (feature pyramid, Lin et al., CVPR 2017)."""

    def __init__(
        self, keypoints: int, widths: tuple[int, ...], depths: tuple[int, ...], stem: int, head: int
    ) -> None:
        super().__init__()
        self.stem = _convolution(3, stem, stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(_convolution(before, width, stride=2), *(Residual(width) for _ in range(depth)))
            for before, width, depth in zip((stem, *widths), widths, depths, strict=False)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, head, 1) for width in widths)
        self.head = nn.Sequential(_convolution(head, head), nn.Conv2d(head, keypoints, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) floats around [-1, 1] -> logits (B, K, H / 4, W / 4)."""
        x = self.stem(images)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        laterals = [lateral(feature) for lateral, feature in zip(self.laterals, features, strict=True)]
        top = laterals[-1]
        for lateral in reversed(laterals[:-1]):
            size = lateral.shape[-2:]
            top = lateral + functional.interpolate(top, size=size, mode="bilinear", align_corners=False)
        logits: Tensor = self.head(top)
        return logits


class DeployedNetwork(nn.Module):
    """What is exported: uint8 images in, calibrated log-posteriors of the keypoints' places out, pixel by pixel."""

    def __init__(self, network: HeatmapNetwork, sharpness: float) -> None:
        super().__init__()
        self.network = network
        self.sharpness = sharpness

    def forward(self, image: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 RGB -> (B, K, H, W) float32, the log-softmax over each map."""
        logits = enlarge(self.network(normalise(image))) * self.sharpness
        return torch.log_softmax(logits.flatten(2), -1).reshape(logits.shape)


def enlarge(logits: Tensor) -> Tensor:
    """(B, K, h, w) -> (B, K, STRIDE h, STRIDE w), before the logits are multiplied by their sharpness.

    A posterior narrower than a cell cannot be told on a grid of cells. The interpolation is cubic, which keeps a
    parabola, the logarithm of a Gaussian, what it is.
    """
    return functional.interpolate(logits, scale_factor=STRIDE, mode="bicubic", align_corners=False)


def normalise(images: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1.0
