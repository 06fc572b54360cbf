"""Which samples a step sees: a function of seed and step alone, so that a resumed run goes on as if uninterrupted."""

from functools import lru_cache

import torch
from torch import Tensor


def batch_indices(seed: int, step: int, batch: int, count: int) -> Tensor:
    """Indices (batch,) into `count` samples of step number `step`; every epoch is a new permutation of all samples."""
    places = torch.arange(step * batch, (step + 1) * batch)
    epochs, rest = places // count, places % count
    out = torch.empty(batch, dtype=torch.long)
    for epoch in epochs.unique().tolist():
        chosen = epochs == epoch
        out[chosen] = _permutation(seed, epoch, count)[rest[chosen]]
    return out


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(count, generator=generator)
