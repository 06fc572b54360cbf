"""Targets for heat maps, the loss over them, and reading a point back."""

import torch
from torch import Tensor


def target_maps(points: Tensor, height: int, width: int, stride: int, sigma: float) -> tuple[Tensor, Tensor]:
    """Target distributions (B, K, height, width) and which channels count (B, K) for points (B, K, M, 2) in input px.

    Each of the M points inside the image carries the same share of the mass, a Gaussian of `sigma` cells. A channel
    with no point inside does not count.
    """
    cells = points / stride - 0.5
    inside = ((points >= 0) & (points < points.new_tensor([width * stride, height * stride]))).all(-1)
    x = torch.arange(width, device=points.device) - cells[..., 0:1]
    y = torch.arange(height, device=points.device) - cells[..., 1:2]
    gauss_x, gauss_y = (torch.exp(-0.5 * (offset / sigma) ** 2) for offset in (x, y))
    weight = inside.float()[..., None] / gauss_x.sum(-1, keepdim=True).clamp(min=1e-6)
    weight = weight / gauss_y.sum(-1, keepdim=True).clamp(min=1e-6)
    gauss_x = torch.where(inside[..., None], gauss_x * weight, torch.zeros_like(gauss_x))
    maps = torch.einsum("bkmy,bkmx->bkyx", gauss_y, gauss_x)
    counts = inside.any(-1)
    return maps / maps.sum((-2, -1), keepdim=True).clamp(min=1e-6), counts


def heatmap_loss(logits: Tensor, points: Tensor, stride: int, sigma: float) -> Tensor:
    """Mean over the channels that count of the Kullback-Leibler divergence from target to predicted distribution."""
    targets, counts = target_maps(points, logits.shape[-2], logits.shape[-1], stride, sigma)
    log_p = torch.log_softmax(logits.flatten(2), -1)
    flat = targets.flatten(2)
    entropy = torch.special.entr(flat).sum(-1)
    divergence = -(flat * log_p).sum(-1) - entropy
    return (divergence * counts).sum() / counts.sum().clamp(min=1)


def decode(logits: Tensor, stride: int, radius: int = 2) -> Tensor:
    """Pixels (B, K, 2) of the expectation in a window of `radius` cells around each map's mode."""
    batch, channels, height, width = logits.shape
    mode = logits.flatten(2).argmax(-1)
    rows, columns = mode // width, mode % width
    y = torch.arange(height, device=logits.device).view(1, 1, -1, 1)
    x = torch.arange(width, device=logits.device).view(1, 1, 1, -1)
    near = ((y - rows[..., None, None]).abs() <= radius) & ((x - columns[..., None, None]).abs() <= radius)
    p = torch.softmax(logits.masked_fill(~near, -torch.inf).flatten(2), -1).reshape(
        batch, channels, height, width
    )
    return torch.stack([(p * (x + 0.5)).sum((-2, -1)), (p * (y + 0.5)).sum((-2, -1))], -1) * stride
