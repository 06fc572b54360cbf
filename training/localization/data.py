"""Training images in memory, and what is done to each batch so that no two passes see the same images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from sim.dataset import read_batches, read_config
from sim.keypoints import Task, channels
from sim.robots import load_robot


@dataclass(frozen=True)
class Samples(Dataset):  # type: ignore[type-arg]
    """Images (N, H, W, 3) uint8 and points (N, K, 2, 2) float32 px of one task's channels."""

    images: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.points[index]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """A whole batch at once: indexing a tensor beats stacking its rows."""
        return self.images[indices], self.points[indices]


def load_samples(task: Task, folder: Path) -> Samples:
    """The images of a data set that suit the task: tool takes the overview images in which the clamp hovers.

    Raises ValueError where the folder has no images, or none of the task's keypoints.
    """
    wanted = [channel.name for channel in channels(task, load_robot(read_config(folder).robot))]
    images, points = [], []
    for batch in read_batches(folder):
        if missing := set(wanted) - set(batch.names):
            raise ValueError(
                f"{folder} holds no keypoint {sorted(missing)[0]!r}, which {task} learns: choose another data set."
            )
        keep = batch.hovers if task == "tool" else np.ones(len(batch.rgb), bool)
        images.append(batch.rgb[keep])
        points.append(batch.points[keep][:, [batch.names.index(name) for name in wanted]])
    if not images:
        raise ValueError(f"{folder} holds no images: build them with `blockworld dataset build`.")
    return Samples(torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(points)))


def augment(images: Tensor, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random geometry and photometry of a batch: images (B, 3, H, W) in [-1, 1], points (B, K, M, 2) px.

    Returns both transformed. Every image gets its own small similarity, colours, blur, noise and a patch of noise.
    """
    images, points = _similarity(images, points, generator)
    images = _colours(images, generator)
    images = _blur(images, generator)
    images = images + torch.randn(images.shape, generator=generator) * _uniform(
        len(images), 0.0, 0.06, generator
    )
    return _patch(images, generator).clamp(-1, 1), points


def _uniform(batch: int, low: float, high: float, generator: torch.Generator, channels: int = 1) -> Tensor:
    return torch.rand(batch, channels, 1, 1, generator=generator) * (high - low) + low


def _similarity(images: Tensor, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rotation within 6 degrees, scale within 8 %, shift within 4 %."""
    batch, _, height, width = images.shape
    angle, log_scale, shift_x, shift_y = (torch.rand(4, batch, generator=generator) * 2 - 1) * torch.tensor(
        [[np.radians(6.0)], [0.08], [0.04], [0.04]], dtype=torch.float32
    )
    cos, sin = torch.cos(angle) * torch.exp(log_scale), torch.sin(angle) * torch.exp(log_scale)
    centre = torch.tensor([width / 2, height / 2])
    matrix = torch.stack(
        [torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2
    )  # output px -> input px
    shift = torch.stack([shift_x * width, shift_y * height], -1)
    size = torch.tensor([width / 2, height / 2])
    theta = torch.cat([matrix * (size[None, None, :] / size[None, :, None]), (shift / size)[..., None]], -1)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    offset = points - centre - shift[:, None, None, :]
    back = torch.einsum("bij,bkmj->bkmi", torch.linalg.inv(matrix), offset) + centre
    return moved, back


def _colours(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gain, offset and gamma, with a different gain for each colour."""
    batch = len(images)
    gain = _uniform(batch, 0.7, 1.3, generator) * _uniform(batch, 0.9, 1.1, generator, channels=3)
    offset = _uniform(batch, -0.15, 0.15, generator)
    gamma = torch.exp(_uniform(batch, -0.35, 0.35, generator))
    unit = ((images + 1) / 2).clamp(1e-4, 1) ** gamma
    return ((unit * gain + offset) * 2 - 1).clamp(-1, 1)


def _blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """Every second image mixed with its 3x3 mean: between sharp and a pixel out of focus."""
    out = images.clone()
    chosen = torch.rand(len(images), generator=generator) < 0.5
    soft = functional.avg_pool2d(functional.pad(images[chosen], (1, 1, 1, 1), mode="replicate"), 3, 1)
    out[chosen] += torch.rand(len(soft), 1, 1, 1, generator=generator) * (soft - images[chosen])
    return out


def _patch(images: Tensor, generator: torch.Generator) -> Tensor:
    """On every third image a flat rectangle of up to a fifth of its width: something in the way (Random Erasing)."""
    batch, _, height, width = images.shape
    out = images.clone()
    for i in torch.nonzero(torch.rand(batch, generator=generator) < 0.33).flatten().tolist():
        h, w = (int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height, width]) * 0.2 + 2)
        top, left = (
            int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height - h, width - w])
        )
        out[i, :, top : top + h, left : left + w] = torch.rand(3, 1, 1, generator=generator) * 2 - 1
    return out
