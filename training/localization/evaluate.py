"""How far off a network's points are on held-out images, and how sharp its posteriors should be."""

import torch
from torch import Tensor, nn

from sim.keypoints import CHANNELS
from training.localization.config import LocalizationConfig
from training.localization.data import Samples
from training.localization.heatmaps import decode, heatmap_loss
from training.localization.model import STRIDE, normalise

BATCH = 100
SHARPNESS = tuple(1.25**power for power in range(13))
MISS_PX = 10.0


@torch.no_grad()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (N, K, h, w) for images (N, H, W, 3) uint8."""
    training = network.training
    network.eval()
    parts = [
        network(normalise(images[i : i + BATCH]).contiguous(memory_format=torch.channels_last))
        for i in range(0, len(images), BATCH)
    ]
    network.train(training)
    return torch.cat(parts)


def evaluate(network: nn.Module, samples: Samples, config: LocalizationConfig) -> dict[str, float]:
    """Median distance in input px of each channel's point (the nearer one where a channel has two), the share of
    points farther than MISS_PX, and the loss on held-out images."""
    logits = predict(network, samples.images)
    distance = (decode(logits, STRIDE)[:, :, None, :] - samples.points).norm(dim=-1).min(-1).values
    counts = _inside(samples)
    metrics = {"validation_loss": float(heatmap_loss(logits, samples.points, STRIDE, config.target_sigma))}
    for index, channel in enumerate(CHANNELS[config.task]):
        errors = distance[:, index][counts[:, index]]
        metrics[f"{channel.name}_median_px"] = float(errors.median())
        metrics[f"{channel.name}_missed"] = float((errors > MISS_PX).float().mean())
    return {name: round(value, 4) for name, value in metrics.items()}


def calibrate(network: nn.Module, samples: Samples) -> float:
    """The factor on the logits under which held-out points are most likely (temperature scaling, Guo et al., ICML
    2017): targets are wider than the errors that a trained network makes, so it is above one."""
    logits = predict(network, samples.images)
    cells = samples.points / STRIDE - 0.5
    height, width = logits.shape[-2:]
    size = cells.new_tensor([width, height])
    grid = ((cells + 0.5) / size * 2 - 1).clamp(-1, 1)
    at_points = torch.nn.functional.grid_sample(
        logits.flatten(0, 1)[:, None], grid.flatten(0, 1)[:, None], mode="bicubic", align_corners=False
    ).reshape(cells.shape[:-1])
    counts = _inside(samples)
    scores = {}
    for sharpness in SHARPNESS:
        log_norm = torch.logsumexp(logits.flatten(2) * sharpness, -1, keepdim=True)
        log_p = at_points * sharpness - log_norm
        scores[sharpness] = float(torch.log(log_p.exp() + UNIFORM_SHARE / (height * width))[counts].mean())
    return max(scores, key=lambda sharpness: scores[sharpness])


UNIFORM_SHARE = 0.02


def _inside(samples: Samples) -> Tensor:
    """(N, K): every point of the channel is inside the image."""
    height, width = samples.images.shape[1:3]
    return ((samples.points >= 0) & (samples.points < samples.points.new_tensor([width, height]))).all(-1).all(-1)


def report(row: dict[str, float]) -> str:
    """One line for the terminal."""
    medians = {name.removesuffix("_median_px"): value for name, value in row.items() if name.endswith("_median_px")}
    worst = sorted(medians.items(), key=lambda item: -item[1])[:3]
    points = ", ".join(f"{name} {value:.2f}" for name, value in worst)
    block = [f"{name} {value:.2f} px" for name, value in medians.items() if name.startswith("block")]
    return f"step {row['step']}: loss {row['loss']:.3f}, validation {row['validation_loss']:.3f}; " + ", ".join(
        [*block, f"worst: {points}"]
    )
