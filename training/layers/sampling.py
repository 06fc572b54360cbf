"""What a network for layers sees and is compared with in a step: other pictures and other pixels of them each time."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from perception.layers.grid import Floats, axis, pixel_centres
from training.core.order import batch_indices
from training.layers.config import LayersConfig
from training.layers.scenes import augmented, leaves
from training.layers.sources import PictureSet


@dataclass(frozen=True)
class Batch:
    """seen: (B, C, S, S) for the encoder. points: (N * each, 2), so many of each pixel. target: (B, N, C), what these
    pixels should be, N = side * side. All in [0, 1], colours multiplied with how opaque they are."""

    seen: Tensor
    points: Tensor
    target: Tensor
    side: int


def batch_of(config: LayersConfig, pictures: PictureSet, step: int, whole: int, first: int) -> Batch:
    """Samples first to first + config.batch of a step's batch over all processes; of (seed, step, first) alone."""
    rng = np.random.default_rng((config.seed, step, first))
    indices = batch_indices(config.seed, step, whole, len(pictures))[first : first + config.batch].tolist()
    images = np.stack([_picture(config, pictures, index, rng) for index in indices])
    return batch(config, images, tuple(rng.integers(0, config.stride, 2)))


def batch(config: LayersConfig, images: np.ndarray, offset: tuple[int, int] | None = None) -> Batch:
    """Of pictures (B, S, S, 4) uint8: pixels at the stride, from an offset (row, column), or by default all."""
    given = torch.from_numpy(images[..., : config.channels]).float() / 255
    # Without the fourth channel they are on black, since colours are multiplied with it.
    seen = seen_by(given.permute(0, 3, 1, 2), config.seen_px)
    stride = 1 if offset is None else config.stride
    row, column = offset or (0, 0)
    target = given[:, row::stride, column::stride]
    points = strided_points(images.shape[1], stride, (row, column), config.supersampling)
    return Batch(seen, torch.from_numpy(points), target.flatten(1, 2), target.shape[1])


def seen_by(pictures: Tensor, side: int) -> Tensor:
    """(B, C, H, W) of the side that the encoder sees."""
    if pictures.shape[2] >= side:
        return functional.adaptive_avg_pool2d(pictures, side)
    return functional.interpolate(pictures, size=(side, side), mode="bilinear", align_corners=False)


def strided_points(size: int, stride: int, offset: tuple[int, int], each: int) -> Floats:
    """(N, 2): of every stride-th pixel from an offset (row, column), `each` x `each` points."""
    if stride == 1:
        return pixel_centres(size, size, each)
    ticks = axis(size, each).reshape(size, each)
    x, y = ticks[offset[1] :: stride], ticks[offset[0] :: stride]
    found = np.empty((len(y), len(x), each, each, 2), np.float32)
    found[..., 0] = x[None, :, None, :]
    found[..., 1] = y[:, None, :, None]
    return found.reshape(-1, 2)


def _picture(config: LayersConfig, pictures: PictureSet, index: int, rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < config.data.made:
        return leaves(rng, config.data.size_px)
    if kind < config.data.made + config.data.augmented:
        return augmented(rng, pictures[index])
    return pictures[index]
