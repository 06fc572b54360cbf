"""Batch normalisation whose statistics are those of the batches of all processes, on CPUs as well.

With it, two processes with half a batch each compute what one process computes with the whole batch; PyTorch's own
SyncBatchNorm runs on GPUs alone.
"""

import torch
import torch.distributed
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class BatchNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d (Ioffe and Szegedy, ICML 2015) over the batches of all processes; each has as many images."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        world = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
        if world == 1 or not self.training:
            return super().forward(x)
        own = torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])
        mean, square = all_reduce(own) / world
        variance = (square - mean * mean).clamp(min=0)
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        with torch.no_grad():
            count = x.numel() // x.shape[1] * world
            momentum = self.momentum or 0.0
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]
