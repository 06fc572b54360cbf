"""The method of Loing, Marlet and Aubry (IJCV 2018): a score per bin of each quantity, and a sum of cross-entropies."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from perception.bundle import PixelBins, PoseBins
from training.core.normalisation import BatchNorm
from training.localization.model import HeatmapNetwork, normalise

Bins = PoseBins | PixelBins


def counts_of(bins: Bins) -> tuple[int, ...]:
    """Number of bins of each quantity, in the order of the scores: x, y, yaw, or u, v."""
    axes = (bins.u, bins.v) if isinstance(bins, PixelBins) else (bins.x, bins.y, bins.yaw)
    return tuple(axis.count for axis in axes)


def in_bins(poses: Tensor, bins: Bins) -> Tensor:
    """Where poses (B, 3) or places in the image (B, 2), in shares of its size, lie, in bins: i + 0.5 is the centre of
    bin i. NaN stays NaN."""
    if isinstance(bins, PixelBins):
        return poses * poses.new_tensor([bins.u.count, bins.v.count])
    x, y = ((poses[:, i] - axis.centre) / axis.width + axis.count / 2 for i, axis in enumerate((bins.x, bins.y)))
    yaw = (poses[:, 2] / bins.yaw.width).remainder(bins.yaw.count)
    return torch.stack([x, y, yaw], -1)


def target_shares(places: Tensor, count: int, circular: bool, sigma: float) -> Tensor:
    """Target distributions (B, count) of places (B,) in bins: a Gaussian of sigma bins, or one bin for sigma 0."""
    centres = torch.arange(count, device=places.device) + 0.5
    offset = centres - places[:, None]
    if circular:
        offset = (offset + count / 2).remainder(count) - count / 2
    if sigma == 0:
        return functional.one_hot(offset.abs().argmin(-1), count).to(places.dtype)
    return torch.softmax(-0.5 * (offset / sigma) ** 2, -1)


def bin_loss(scores: Sequence[Tensor], places: Tensor, sigma: float) -> Tensor:
    """Sum over the quantities of the mean divergence from target to predicted distribution; with sigma 0 this is the
    sum of cross-entropies of the paper. scores: (B, count) each; places (B, Q) in bins; those with NaN do not count."""
    known = torch.isfinite(places).all(-1)
    total = scores[0].sum() * 0.0
    for quantity, score in enumerate(scores):
        target = target_shares(
            torch.nan_to_num(places[:, quantity]), score.shape[-1], circular=quantity == 2, sigma=sigma
        )
        divergence = (torch.special.entr(target) * -1 - target * torch.log_softmax(score, -1)).sum(-1)
        total = total + (divergence * known).sum() / known.sum().clamp(min=1)
    return total


def expectation(score: Tensor, circular: bool, radius: int = 3) -> Tensor:
    """Places (B,) in bins: the expectation in a window of `radius` bins around the mode of scores (B, count)."""
    count = score.shape[-1]
    mode = score.argmax(-1, keepdim=True)
    offset = torch.arange(count, device=score.device) - mode
    if circular:
        offset = (offset + count // 2).remainder(count) - count // 2
    share = torch.softmax(score.masked_fill(offset.abs() > radius, -torch.inf), -1)
    place = mode[:, 0] + 0.5 + (share * offset).sum(-1)
    return place.remainder(count) if circular else place


HIDDEN = 256
"""Units between features and scores where the heads read maps."""
_SPREAD_SCALE = 20.0


def moments(places: Tensor, absent: Tensor) -> Tensor:
    """(B, 6 K): of the distributions that logits of places (B, K, h, w) and of absence (B, K) stand for, the mass in
    the image, and times that the mean and the scaled covariance of x and y, which run from -1 to 1 across the image."""
    height, width = places.shape[-2:]
    everything = torch.softmax(torch.cat([places.flatten(2), absent[..., None]], -1), -1)
    share = everything[..., :-1].reshape(places.shape)
    x = (torch.arange(width, device=places.device) + 0.5) * (2.0 / width) - 1.0
    y = (torch.arange(height, device=places.device) + 0.5) * (2.0 / height) - 1.0
    columns, rows = share.sum(2), share.sum(3)
    mass = columns.sum(-1)
    mean_x, mean_y = (columns * x).sum(-1), (rows * y).sum(-1)
    known = mass.clamp(min=1e-6)
    spread = [
        (columns * x**2).sum(-1) - mean_x**2 / known,
        ((share * x).sum(-1) * y).sum(-1) - mean_x * mean_y / known,
        (rows * y**2).sum(-1) - mean_y**2 / known,
    ]
    return torch.cat([mass, mean_x, mean_y, *(_SPREAD_SCALE * one for one in spread)], -1)


class MapReader(nn.Module):
    """Two hidden layers over the moments of heat maps, these brought to one scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = BatchNorm(6 * channels)
        self.layers = nn.Sequential(
            nn.Linear(6 * channels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
        )

    def forward(self, maps: tuple[Tensor, Tensor]) -> Tensor:
        """Logits as in `moments` -> (B, HIDDEN). What the maps say is taken as it is: dense targets teach them, not the
        bins."""
        read = moments(maps[0].detach(), maps[1].detach())
        return self.layers(self.scale(read[..., None, None])[..., 0, 0])


class BinNetwork(nn.Module):
    """A residual trunk, its mean over the cells of a pool x pool grid, and a linear layer per quantity.

    pool 1 is the paper's network. The decoder of heat maps hangs on the same trunk: dense targets for it teach the
    trunk where things are. With `read_maps` the linear layers stand on a MapReader in place of the means; without, the
    decoder is not part of what is exported.
    """

    def __init__(
        self, counts: Sequence[int], dense: HeatmapNetwork, features: int, pool: int, read_maps: bool = False
    ) -> None:
        super().__init__()
        self.dense = dense
        self.pool = nn.AdaptiveAvgPool2d(pool)
        self.reader = MapReader(dense.absent.out_features) if read_maps else None
        width = HIDDEN if read_maps else features * pool * pool
        self.heads = nn.ModuleList(nn.Linear(width, count) for count in counts)
        self.frozen = False

    def freeze(self) -> None:
        """Keep trunk and decoder as they are, in training as well."""
        self.frozen = True
        self.dense.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As any module, but that what is frozen keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.dense.eval()
        return self

    def forward(self, images: Tensor, dense: bool = False) -> tuple[list[Tensor], tuple[Tensor, Tensor] | None]:
        """(B, 3, H, W) -> scores (B, count) of each quantity, and with `dense` the heat maps of the decoder."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.dense.trunk(images)
            maps = self.dense.decode(features) if dense or self.reader is not None else None
        reader = self.reader
        seen = self.pool(features[-1]).flatten(1) if reader is None or maps is None else reader(maps)
        return [head(seen) for head in self.heads], maps if dense else None


class DeployedBins(nn.Module):
    """What is exported: uint8 images in, the raw scores of all bins out, quantity after quantity."""

    def __init__(self, network: BinNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 RGB -> (B, S) float32."""
        scores, _ = self.network(normalise(image))
        return torch.cat(scores, -1)
