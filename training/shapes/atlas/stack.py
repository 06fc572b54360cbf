"""K multilayer perceptrons of equal shape as one: each layer is one batched product, whatever K."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stack(nn.Module):
    """(K, N, widths[0]) -> (K, N, widths[-1]): perceptron k has row k, with rectifiers between its layers."""

    def __init__(self, count: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.empty(count, a, b) for a, b in pairwise(widths))
        self.biases = nn.ParameterList(torch.zeros(count, 1, b) for b in widths[1:])
        for weight in self.weights:
            # Variance kept through rectifiers (He et al., ICCV 2015).
            nn.init.normal_(weight, std=math.sqrt(2 / weight.shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if number < last:
                x = functional.relu(x)
        return x
