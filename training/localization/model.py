"""A small residual network with a top-down decoder that gives one heat map per keypoint."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.core.normalisation import BatchNorm

STRIDE = 2
"""Pixels of the image per cell of a heat map, along each axis."""


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity (He et al., CVPR 2016, figure 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), BatchNorm(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return functional.relu(x + self.second(self.first(x)))


class Trunk(nn.Module):
    """Residual stages at strides 4, 8, 16 and 32."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], stem: int) -> None:
        super().__init__()
        self.stem = convolution(3, stem, stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before, width, stride=2), *(Residual(width) for _ in range(depth)))
            for before, width, depth in zip((stem, *widths), widths, depths, strict=False)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the outputs of the stages, (B, C, H / stride, W / stride) each."""
        x = self.stem(images)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class HeatmapNetwork(nn.Module):
    """Images -> one map of logits per keypoint at half their size, and a logit for "it is not in this image".

    The decoder is a feature pyramid (Lin et al., CVPR 2017) down to stride 4, whose cells are split in four by a
    sub-pixel convolution (Shi et al., CVPR 2016). The extra logit is that of SuperPoint (DeTone et al., CVPRW 2018),
    one per map instead of one per cell.
    """

    def __init__(
        self, keypoints: int, widths: tuple[int, ...], depths: tuple[int, ...], stem: int, head: int
    ) -> None:
        super().__init__()
        self.trunk = Trunk(widths, depths, stem)
        self.laterals = nn.ModuleList(nn.Conv2d(width, head, 1) for width in widths)
        self.head = nn.Sequential(convolution(head, head), nn.Conv2d(head, 4 * keypoints, 1), nn.PixelShuffle(2))
        self.absent = nn.Linear(widths[-1], keypoints)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) floats around [-1, 1] -> logits (B, K, H / 2, W / 2) of places, (B, K) of absence."""
        return self.decode(self.trunk(images))

    def decode(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The same from the trunk's outputs."""
        laterals = [lateral(feature) for lateral, feature in zip(self.laterals, features, strict=True)]
        top = laterals[-1]
        for lateral in reversed(laterals[:-1]):
            size = lateral.shape[-2:]
            top = lateral + functional.interpolate(top, size=size, mode="bilinear", align_corners=False)
        return self.head(top), self.absent(features[-1].mean((2, 3)))


class DeployedNetwork(nn.Module):
    """What is exported: uint8 images in, log-probabilities of the keypoints' places out, cell by cell.

    What is missing from one in the sum over a map is the probability that its keypoint is not in the image.
    """

    def __init__(self, network: HeatmapNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 RGB -> (B, K, H / 2, W / 2) float32."""
        places, absent = self.network(normalise(image))
        everything = torch.cat([places.flatten(2), absent[..., None]], -1)
        return torch.log_softmax(everything, -1)[..., :-1].reshape(places.shape)


def normalise(images: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1.0
