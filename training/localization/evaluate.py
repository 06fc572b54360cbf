"""How far off a network's points are on held-out images, and how sharp its posteriors should be."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.localization.config import LocalizationConfig
from training.localization.data import Samples
from training.localization.heatmaps import decode, heatmap_loss
from training.localization.model import STRIDE, enlarge, normalise
from training.localization.subject import channels_of

BATCH = 100
SHARPNESS = tuple(1.3**power for power in range(0, 15, 2))
UNIFORM_SHARE = 0.02
CALIBRATION_IMAGES = 200
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
    for index, channel in enumerate(channels_of(config)):
        errors = distance[:, index][counts[:, index]]
        metrics[f"{channel.name}_median_px"] = float(errors.median())
        metrics[f"{channel.name}_missed"] = float((errors > MISS_PX).float().mean())
    return {name: round(value, 4) for name, value in metrics.items()}


@torch.no_grad()
def calibrate(network: nn.Module, samples: Samples) -> float:
    """The factor on the logits under which held-out points are most likely (temperature scaling, Guo et al., ICML
    2017): targets are wider than the errors that a trained network makes, so it is above one."""
    step = max(1, len(samples) // CALIBRATION_IMAGES)
    chosen = Samples(samples.images[::step], samples.points[::step])
    logits, counts = predict(network, chosen.images), _inside(chosen)
    height, width = chosen.images.shape[1:3]
    grid = (chosen.points / chosen.points.new_tensor([width, height]) * 2 - 1).clamp(-1, 1)
    scores = dict.fromkeys(SHARPNESS, 0.0)
    for i, maps in enumerate(logits):
        large = enlarge(maps[None])[0]
        at_points = functional.grid_sample(large[:, None], grid[i][:, None], align_corners=False)[:, 0, 0]
        for sharpness in scores:
            log_p = at_points * sharpness - torch.logsumexp(large.flatten(1) * sharpness, -1, keepdim=True)
            likelihood = log_p.exp() + UNIFORM_SHARE / (height * width)
            scores[sharpness] += float(likelihood.log()[counts[i]].sum())
    return max(scores, key=lambda sharpness: scores[sharpness])


def _inside(samples: Samples) -> Tensor:
    """(N, K): every point of the channel is inside the image."""
    height, width = samples.images.shape[1:3]
    return (
        ((samples.points >= 0) & (samples.points < samples.points.new_tensor([width, height])))
        .all(-1)
        .all(-1)
    )


def report(row: dict[str, float]) -> str:
    """One line for the terminal."""
    medians = {
        name.removesuffix("_median_px"): value for name, value in row.items() if name.endswith("_median_px")
    }
    worst = sorted(medians.items(), key=lambda item: -item[1])[:3]
    points = ", ".join(f"{name} {value:.2f}" for name, value in worst)
    block = [f"{name} {value:.2f} px" for name, value in medians.items() if name.startswith("block")]
    return (
        f"step {row['step']}: loss {row['loss']:.3f}, validation {row['validation_loss']:.3f}; "
        + ", ".join([*block, f"worst: {points}"])
    )
