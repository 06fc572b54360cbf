"""Verification of a match by what is around it: each cell of a ring votes that goes where the match puts it.

ArtMiner, section 3.1: the outermost cells of the region of 10 x 10 around a proposal are matched one by one in the
whole candidate picture; of a true match most go along, of a chance one hardly any does.
"""

import torch
from torch import Tensor

from training.art.learning.config import before
from training.art.learning.products import LARGEST, factor, products


def ring(cells: int) -> Tensor:
    """(4 cells - 4, 2) int64: row and column of the outermost cells of a region of `cells` a side around a proposal,
    from the proposal's first cell."""
    along = torch.arange(cells)
    every = torch.cartesian_prod(along, along)
    outermost = (every == 0) | (every == cells - 1)
    return every[outermost.any(dim=1)] - before(cells)


def votes(rings: Tensor, grid: Tensor, first: Tensor, cells: int, tolerance: int = 1) -> Tensor:
    """(M,) float32: of each match the share of its ring that votes.

    rings: (M, R, C) unit vectors around the proposals. grid: (h, w, C) of the candidate. first: (M, 2) row and column
    of its cell that is matched with the proposals' first. cells: the region's side. tolerance: cells, along rows and
    along columns, that a nearest neighbour may be from where the match puts it.
    """
    height, width, channels = grid.shape
    flat = factor(grid).reshape(-1, channels)
    offsets = ring(cells).to(grid.device)
    found = []
    at_once = max(1, LARGEST // (len(offsets) * height * width))
    for part, start in zip(rings.split(at_once), first.split(at_once), strict=True):
        nearest = products(factor(part).reshape(-1, channels), flat).argmax(dim=1).view(part.shape[:2])
        there = torch.stack([nearest // width, nearest % width], dim=2)
        wanted = start[:, None] + offsets
        found.append(((there - wanted).abs() <= tolerance).all(dim=2).float().mean(dim=1))
    return torch.cat(found)
