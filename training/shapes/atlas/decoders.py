"""From a latent vector to points: the baseline, and charts deformed into space.

AtlasNet (Groueix et al., CVPR 2018), equation 3.3 and section 5; elementary structures of Deprelle et al., "Learning
elementary structures for 3D shape generation and matching" (NeurIPS 2019), section 3.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.shapes.atlas.stack import Stack

DEFORMATION = (128, 128)
"""Channels of the perceptrons that make a patch an elementary structure: as wide as the authors'."""
_NEAR_THE_MIDDLE = 0.3
"""What weights of the last layer begin with, of their usual size, where the hyperbolic tangent is steep."""


class PointsDecoder(nn.Module):
    """The baseline: latent vectors (B, L) -> points (B, M, dimension), 3, or 6 with normals.

    Widths 1024, 512, 256 in the paper; places through a hyperbolic tangent, normals as they come.
    """

    def __init__(self, latent: int, widths: tuple[int, ...], points: int, dimension: int = 3) -> None:
        super().__init__()
        self.points, self.dimension = points, dimension
        self.layers = Stack(1, (latent, *widths, points * dimension))

    def forward(self, latent: Tensor) -> Tensor:
        """See the class."""
        x = self.layers(latent[None])[0].unflatten(1, (self.points, self.dimension))
        return torch.cat([torch.tanh(x[..., :3]), x[..., 3:]], dim=2) if self.dimension > 3 else torch.tanh(x)


class ChartDecoder(nn.Module):
    """Points of K charts (K, N, D) and latent vectors (B, L) -> points in space (B, K, N, 3).

    The first layer sees a chart's point beside the latent vector; a sum of two linear layers, one for each, is the same
    function, and computes the latent part once per shape and chart rather than once per point.
    """

    def __init__(self, charts: int, dimension: int, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.charts, first = charts, widths[0]
        self.place = nn.Parameter(torch.randn(charts, dimension, first) * math.sqrt(2 / dimension))
        self.code = nn.Linear(latent, charts * first)
        nn.init.normal_(self.code.weight, std=math.sqrt(1 / latent))
        nn.init.uniform_(self.code.bias, -0.5, 0.5)
        self.layers = Stack(charts, (*widths, 3))
        with torch.no_grad():
            self.layers.weights[-1].mul_(_NEAR_THE_MIDDLE)

    def forward(self, charts: Tensor, latent: Tensor) -> Tensor:
        """See the class."""
        batch, count = latent.shape[0], charts.shape[1]
        code = self.code(latent).view(batch, self.charts, 1, -1).transpose(0, 1)
        x = functional.relu(torch.bmm(charts, self.place)[:, None] + code)
        x = self.layers(x.reshape(self.charts, batch * count, -1))
        return torch.tanh(x).view(self.charts, batch, count, 3).transpose(0, 1)


class PatchDeformation(nn.Module):
    """Elementary structures as learned surfaces: patch k of the unit square (K, N, 2) -> (K, N, D), the same for all
    shapes. It begins as the square, in the first two of D coordinates."""

    begin: Tensor

    def __init__(self, charts: int, dimension: int) -> None:
        super().__init__()
        self.layers = Stack(charts, (2, *DEFORMATION, dimension))
        with torch.no_grad():
            self.layers.weights[-1].mul_(0.1)
        self.register_buffer("begin", torch.eye(2, dimension), persistent=False)

    def forward(self, charts: Tensor) -> Tensor:
        """See the class."""
        return charts @ self.begin + self.layers(charts)


class PointTranslation(nn.Module):
    """Elementary structures as learned points: points of the charts (K, N, 2), always the same, each moved to a place
    (K, N, D) of its own, the same for all shapes."""

    def __init__(self, charts: Tensor, dimension: int) -> None:
        super().__init__()
        moved = torch.zeros(*charts.shape[:2], dimension)
        moved[..., : charts.shape[2]] = charts
        self.places = nn.Parameter(moved)

    def forward(self, charts: Tensor) -> Tensor:
        """Of the charts it began with: their learned places."""
        return self.places
