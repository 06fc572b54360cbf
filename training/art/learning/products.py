"""Cosines of very many cells, of which only the order counts: where a processor multiplies bytes, in whole numbers,
which is many times as fast as in single precision.

Bfloat16 would be as fast, but has one number for cosines between 0.800 and 0.804: places that differ come out alike.
Whole numbers are exact once vectors are rounded, by which a cosine is wrong by 0.002 (standard deviation).
"""

import torch
from torch import Tensor

from training.art.matching import multiplies_bytes, whole_numbers

LARGEST = 2**24
"""Cosines that are in memory at once: 64 MB."""


def factor(vectors: Tensor) -> Tensor:
    """(..., C) unit vectors -> the same as `products` takes them."""
    if vectors.device.type == "cpu" and multiplies_bytes():
        return whole_numbers(vectors.float())
    return vectors.float()


def products(a: Tensor, b: Tensor) -> Tensor:
    """(N, D), (M, D) of `factor` -> (N, M), as their cosines are ordered: int32, or float32."""
    return torch._int_mm(a, b.T) if a.dtype == torch.int8 else a @ b.T
