"""Muon (Jordan et al., 2024): momentum whose matrices are made orthogonal, in the precision that the device is fast in.

torch.optim.Muon computes in bfloat16 everywhere, which takes seconds a matrix on a processor that has no such products.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from training.core.precision import product_dtype

_A, _B, _C = 3.4445, -4.7750, 2.0315  # of the quintic whose slope at 0 is largest
_ITERATIONS = 5
_EPSILON = 1e-7
_RMS_OF_ADAM = 0.2


class Muon(torch.optim.Optimizer):
    """Of parameters that are matrices. Steps are scaled to have the RMS of Adam's (Liu et al., 2025, equation 4), so
    that both mean the same by a learning rate."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        if any(one.ndim != 2 for group in self.param_groups for one in group["params"]):
            raise ValueError("Muon moves matrices alone")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step, by Nesterov's momentum."""
        assert closure is None
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is None:
                    continue
                state = self.state[one]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(one)
                smooth = state["momentum_buffer"].lerp_(one.grad, 1 - group["momentum"])
                update = orthogonal(one.grad.lerp(smooth, group["momentum"]), product_dtype(one.device))
                one.add_(update, alpha=-group["lr"] * _RMS_OF_ADAM * math.sqrt(max(one.shape)))


def orthogonal(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """(N, M) -> about the orthogonal matrix nearest to it: singular values are brought to between 0.7 and 1.2 by five
    iterations of Newton and Schulz's kind, in `dtype`."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.to(dtype)
    x = x.T if tall else x
    x = x / x.norm().clamp(min=_EPSILON)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=_B, alpha=_C), x, beta=_A)
    return x.T if tall else x
