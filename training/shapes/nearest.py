"""Exact nearest neighbours between two sets of points, found outside the graph that gradients flow through.

What is kept for the gradient is which point is nearest, not the distances of all pairs: a pair of shapes with 2,500
points each would take 25 MB a shape, and their gradient as much again.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

FEW = 512
"""Pairs of fewer points than this are faster by one matrix product than by a tree."""
BLOCK = 4096
"""Points whose distances from all others a graphics processor holds at once."""


@torch.no_grad()
def nearest(points: Tensor, others: Tensor) -> Tensor:
    """(B, N, D) and (B, M, D) -> (B, N) int64: for each point the index of the nearest other one."""
    if points.is_cuda or others.shape[1] < FEW:
        return torch.cat([_by_product(part, others) for part in points.split(BLOCK, dim=1)], dim=1)
    # Trees are built and asked without Python's lock.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        found = threads.map(_by_tree, points.detach().float().numpy(), others.detach().float().numpy())
        return torch.from_numpy(np.stack(list(found)))


def _by_tree(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.asarray(cKDTree(others, balanced_tree=False, compact_nodes=False).query(points)[1])


def _by_product(points: Tensor, others: Tensor) -> Tensor:
    """By |a - b|^2 = |a|^2 - 2 a.b + |b|^2, centred first, because what cancels would else be lost in the digits."""
    centre = others.mean(dim=1, keepdim=True)
    here, there = (points - centre).float(), (others - centre).float()
    products = torch.baddbmm((there * there).sum(dim=2)[:, None], here, there.transpose(1, 2), alpha=-2.0)
    return products.argmin(dim=2)
