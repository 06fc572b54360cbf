"""Targets for heat maps, the loss over them, and reading a point back."""

import torch
from torch import Tensor


def target_maps(points: Tensor, height: int, width: int, stride: int, sigma: float) -> tuple[Tensor, Tensor]:
    """Target distributions (B, K, height, width) and what is left of each for absence (B, K).

    points (B, K, M, 2) in input px, NaN for what is not there. Each of the M points inside the image carries the same
    share of the mass, a Gaussian of `sigma` cells; the shares of those outside go to absence.
    """
    cells = points / stride - 0.5
    inside = ((points >= 0) & (points < points.new_tensor([width * stride, height * stride]))).all(-1)
    cells = torch.where(inside[..., None], cells, torch.zeros_like(cells))
    x = torch.arange(width, device=points.device) - cells[..., 0:1]
    y = torch.arange(height, device=points.device) - cells[..., 1:2]
    gauss_x, gauss_y = (torch.exp(-0.5 * (offset / sigma) ** 2) for offset in (x, y))
    share = inside.float()[..., None] / points.shape[2]
    gauss_x = gauss_x * (share / (gauss_x.sum(-1, keepdim=True) * gauss_y.sum(-1, keepdim=True)))
    return torch.einsum("bkmy,bkmx->bkyx", gauss_y, gauss_x), 1.0 - inside.float().mean(-1)


def heatmap_loss(logits: tuple[Tensor, Tensor], points: Tensor, stride: int, sigma: float) -> Tensor:
    """Mean over all channels of the Kullback-Leibler divergence from target to predicted distribution.

    logits: of places (B, K, h, w) and of absence (B, K). points (B, K, M, 2) as in `target_maps`.
    """
    places, absent = logits
    targets, absence = target_maps(points, places.shape[-2], places.shape[-1], stride, sigma)
    flat, values = targets.flatten(2), places.flatten(2)
    normaliser = torch.logaddexp(torch.logsumexp(values, -1), absent)
    entropy = torch.special.entr(flat).sum(-1) + torch.special.entr(absence)
    divergence = normaliser - (flat * values).sum(-1) - absence * absent - entropy
    return divergence.mean()


def decode(logits: Tensor, stride: int, radius: int = 4) -> Tensor:
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
