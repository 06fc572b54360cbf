"""The deformation network of 3D-CODED: a point cloud to a latent vector, and a template deformed by it.

Encoder: PointNet (Qi et al., CVPR 2017) without its transforms: each point through 64, 128 and 1024 channels, the
maximum over points, a linear layer. Decoder: each point of the template beside the latent vector through 1024, 512, 254
and 128 channels to a place in space, with a hyperbolic tangent (Groueix et al., ECCV 2018, section 3.1).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

REACH = 4.0
"""What the hyperbolic tangent's 1 stands for: shapes are normalised to an RMS radius of 1 and stay well within it."""


class Encoder(nn.Module):
    """(B, N, 3) -> (B, L); the order of points does not matter."""

    def __init__(self, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        sizes = (3, *widths)
        self.points = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.out = nn.Linear(widths[-1], latent)

    def forward(self, points: Tensor) -> Tensor:
        """(B, N, 3) -> (B, L).

        The gradient of a maximum reaches the points that have it alone. Without gradient the last layer finds these,
        then it is computed for them again with gradient: a third of the arithmetic, no (B, N, 1024) kept.
        """
        x = points
        for layer in self.points[:-1]:
            x = functional.relu(layer(x))
        last = self.points[-1]
        assert isinstance(last, nn.Linear)
        if torch.is_grad_enabled():
            weight = last.weight.to(x.dtype)
            with torch.no_grad():
                highest = _argmax(functional.linear(x, weight))
            rows = highest + x.shape[1] * torch.arange(len(x), device=x.device)[:, None]
            chosen = x.flatten(0, 1).index_select(0, rows.flatten()).view(*rows.shape, -1)
            pooled = (chosen * weight).sum(dim=2) + last.bias
        else:
            pooled = last(x).amax(dim=1)
        # A maximum commutes with a rectifier, which so has fewer numbers to look at.
        code = self.out(functional.relu(pooled))
        assert isinstance(code, Tensor)
        return code


def _argmax(values: Tensor) -> Tensor:
    """Which of N is the largest in each channel: (B, N, C) -> (B, C).

    As the pooling of a picture N high and 1 wide, whose channels are innermost in memory: on processors ten times as
    fast as torch.max.
    """
    batch, count, channels = values.shape
    picture = values.view(batch, count, 1, channels).permute(0, 3, 1, 2)
    _, found = functional.max_pool2d(picture, (count, 1), return_indices=True)
    return found.view(batch, channels)


class Decoder(nn.Module):
    """Template points (M, 3) and latent vectors (B, L) -> deformed points (B, M, 3).

    The first layer sees template point and latent vector beside each other; a sum of two linear layers, one for each,
    is the same function, and computes the latent part once per shape rather than once per point.
    """

    def __init__(self, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.place = nn.Linear(3, widths[0])
        self.code = nn.Linear(latent, widths[0], bias=False)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.out = nn.Linear(widths[-1], 3)

    def forward(self, template: Tensor, latent: Tensor) -> Tensor:
        """(M, 3) or (B, M, 3), and (B, L) -> (B, M, 3)."""
        x = functional.relu(self.place(template) + self.code(latent)[:, None])
        for layer in self.hidden:
            x = functional.relu(layer(x))
        return REACH * torch.tanh(self.out(x) / REACH)


class DeformationNetwork(nn.Module):
    """Encoder and decoder. encoder, decoder: channels of their layers; latent: length of the latent vector."""

    def __init__(self, encoder: tuple[int, ...], decoder: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.encoder = Encoder(encoder, latent)
        self.decoder = Decoder(decoder, latent)
        self.apply(_initialise)
        with torch.no_grad():  # begin near the middle, where the hyperbolic tangent is steep
            self.decoder.out.weight.mul_(0.1)

    def forward(self, points: Tensor, template: Tensor) -> Tensor:
        """(B, N, 3) and (M, 3) or (B, M, 3) -> (B, M, 3)."""
        deformed = self.decoder(template, self.encoder(points))
        assert isinstance(deformed, Tensor)
        return deformed


def _initialise(layer: nn.Module) -> None:
    """Variance kept through rectifiers (He et al., ICCV 2015): there is no normalisation to do it."""
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
