"""What a network of each method is, what it minimises and how it is measured."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from perception.bundle import CircularBins, ImageBins, LinearBins, PixelBins, PoseBins
from sim.robots import RobotDescription
from training.localization.bins import BinNetwork, bin_loss, counts_of, expectation, in_bins
from training.localization.config import LocalizationConfig
from training.localization.data import Samples
from training.localization.heatmaps import decode, heatmap_loss
from training.localization.model import STRIDE, HeatmapNetwork, normalise
from training.localization.subject import channels_of, robot_of

BATCH = 100
MISS_PX = 10.0
GRID_STEP_M = 0.05


class Objective(Protocol):
    """One method on one task."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""
        ...

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, poses: Tensor, progress: float = 1.0
    ) -> Tensor:
        """Of a batch: images (B, 3, H, W), points (B, K, 2, 2) px, poses (B, 3); `network` may be wrapped. `progress`
        is the share of the training that is done."""
        ...

    def evaluate(self, samples: Samples) -> dict[str, float]:
        """Named figures of the network on held-out images; `validation_loss` is one."""
        ...

    def report(self, row: dict[str, float]) -> str:
        """One line for the terminal."""
        ...


def objective_of(config: LocalizationConfig) -> Objective:
    """That of a configuration, its network untrained."""
    return HeatmapObjective(config) if config.method == "heatmaps" else BinObjective(config)


class HeatmapObjective:
    """Heat maps of the robot's and the block's points."""

    def __init__(self, config: LocalizationConfig) -> None:
        self.config = config
        self.channels = channels_of(config)
        self.network = heatmap_network(config)

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, poses: Tensor, progress: float = 1.0
    ) -> Tensor:
        return heatmap_loss(network(images), points, STRIDE, self.config.target_sigma)

    @torch.no_grad()
    def predict(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of places (N, K, h, w) and of absence (N, K) for images (N, H, W, 3) uint8."""
        with _evaluating(self.network):
            parts = [_run(self.network, images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        return torch.cat([places.cpu() for places, _ in parts]), torch.cat([absent.cpu() for _, absent in parts])

    def evaluate(self, samples: Samples) -> dict[str, float]:
        """Median distance in input px of each channel's point (the nearer one where a channel has two), the share of
        points farther than MISS_PX, and the loss; with images without a block, the shares of wrong answers to whether
        there is one."""
        losses, distances, shares = [], [], []
        for i in range(0, len(samples), BATCH):
            part = samples.part(slice(i, i + BATCH))
            logits = self.predict(part.images)
            losses.append(float(heatmap_loss(logits, part.points, STRIDE, self.config.target_sigma)) * len(part))
            shares.append(self._block_share(logits))
            distances.append((decode(logits[0], STRIDE)[:, :, None, :] - part.points).norm(dim=-1).min(-1).values)
        distance, counts = torch.cat(distances), _inside(samples)
        metrics = {"validation_loss": sum(losses) / len(samples)}
        for index, channel in enumerate(self.channels):
            errors = distance[:, index][counts[:, index]]
            metrics[f"{channel.name}_median_px"] = float(errors.median())
            metrics[f"{channel.name}_missed"] = float((errors > MISS_PX).float().mean())
        empty = torch.isnan(samples.poses).any(-1)
        if empty.any() and any(channel.kind == "block" for channel in self.channels):
            taken = torch.cat(shares) > 0.5
            metrics["block_seen_where_none_is"] = float(taken[empty].float().mean())
            metrics["block_not_seen"] = float((~taken[~empty]).float().mean())
        return {name: round(value, 4) for name, value in metrics.items()}

    def _block_share(self, logits: tuple[Tensor, Tensor]) -> Tensor:
        """(B,) probability that the image shows the block: the mean over its points of that of their being there."""
        own = [i for i, channel in enumerate(self.channels) if channel.kind == "block"]
        places, absent = logits
        there = torch.logsumexp(places.flatten(2), -1) - absent
        return torch.sigmoid(there[:, own]).mean(-1)

    def report(self, row: dict[str, float]) -> str:
        medians = {name: value for name, value in row.items() if name.endswith("_median_px")}
        worst = sorted(medians.items(), key=lambda item: -item[1])[:3]
        return ", ".join(f"{name.removesuffix('_median_px')} {value:.2f} px" for name, value in worst)


class BinObjective:
    """Scores of bins: the seed method, with what helps it to begin."""

    def __init__(self, config: LocalizationConfig) -> None:
        self.config = config
        self.bins = bins_of(config.task, robot_of(config))
        self.clamp = [channel.name for channel in channels_of(config)].index("clamp")
        dense = heatmap_network(config)
        if config.auxiliary == 0:
            for part in (dense.laterals, dense.head, dense.absent):
                part.requires_grad_(False)  # processes that train together wait for gradients of all that has any
        counts = counts_of(self.bins)
        self.network = BinNetwork(counts, dense, config.widths[-1], config.pool, config.read_maps)
        if config.frozen:
            self.network.freeze()

    def places(self, images: Tensor, points: Tensor, poses: Tensor) -> Tensor:
        """Where the truth lies, in bins (B, Q)."""
        size = points.new_tensor(images.shape[:1:-1])
        return in_bins(points[:, self.clamp, 0] / size if isinstance(self.bins, PixelBins) else poses, self.bins)

    def label_sigma(self, progress: float) -> float:
        """Width of the labels in bins at a share of the training: from coarse to fine."""
        last, first = self.config.label_sigma, self.config.first_label_sigma
        return last + max(0.0, first - last) * max(0.0, 1.0 - 1.5 * progress)

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, poses: Tensor, progress: float = 1.0
    ) -> Tensor:
        scores, dense = network(images, self.config.auxiliary > 0)
        total = bin_loss(scores, self.places(images, points, poses), self.label_sigma(progress))
        if dense is not None:
            total = total + self.config.auxiliary * heatmap_loss(dense, points, STRIDE, self.config.target_sigma)
        return total

    @torch.no_grad()
    def predict(self, images: Tensor) -> list[Tensor]:
        """Scores (N, count) of each quantity for images (N, H, W, 3) uint8."""
        with _evaluating(self.network):
            parts = [_run(self.network, images[i : i + BATCH])[0] for i in range(0, len(images), BATCH)]
        return [torch.cat(rows).cpu() for rows in zip(*parts, strict=True)]

    def evaluate(self, samples: Samples) -> dict[str, float]:
        """Median error of each quantity (mm and deg; px for a place in the image), and the loss."""
        scores = self.predict(samples.images)
        images = samples.images.permute(0, 3, 1, 2)
        truth = self.places(images, samples.points, samples.poses)
        metrics = {"validation_loss": float(bin_loss(scores, truth, self.config.label_sigma))}
        for quantity, (name, unit) in enumerate(self._units(images.shape)):
            circular = name == "yaw_median_deg"
            offset = expectation(scores[quantity], circular) - truth[:, quantity]
            if circular:
                count = scores[quantity].shape[-1]
                offset = (offset + count / 2).remainder(count) - count / 2
            metrics[name] = float(offset.abs().nanmedian()) * unit
        return {name: round(value, 4) for name, value in metrics.items()}

    def _units(self, shape: Sequence[int]) -> list[tuple[str, float]]:
        """Name of each quantity's error and what a bin is in its unit."""
        bins = self.bins
        if isinstance(bins, PixelBins):
            return [("u_median_px", shape[3] / bins.u.count), ("v_median_px", shape[2] / bins.v.count)]
        return [
            ("x_median_mm", 1e3 * bins.x.width),
            ("y_median_mm", 1e3 * bins.y.width),
            ("yaw_median_deg", math.degrees(bins.yaw.width)),
        ]

    def report(self, row: dict[str, float]) -> str:
        return ", ".join(
            f"{name.replace('_median_', ' ')} {value:.2f}" for name, value in row.items() if "_median_" in name
        )


def heatmap_network(config: LocalizationConfig) -> HeatmapNetwork:
    """The untrained network of a configuration."""
    return HeatmapNetwork(len(channels_of(config)), config.widths, config.depths, config.stem, config.head)


def bins_of(task: str, robot: RobotDescription) -> PoseBins | PixelBins:
    """Published bins: Loing et al., IJCV 2018, section 4; the coarse grid is centred on the robot's workspace."""
    if task == "tool":
        return PixelBins(u=ImageBins(count=50), v=ImageBins(count=50))
    if task == "fine":
        return PoseBins(
            x=LinearBins(count=60, width=0.002),
            y=LinearBins(count=60, width=0.002),
            yaw=CircularBins(count=90, width=math.pi / 90, period=math.pi),
        )
    middle = [GRID_STEP_M * round(sum(ends) / 2 / GRID_STEP_M) for ends in (robot.workspace_x_m, robot.workspace_y_m)]
    return PoseBins(
        x=LinearBins(count=202, width=0.005, centre=round(middle[0], 3)),
        y=LinearBins(count=202, width=0.005, centre=round(middle[1], 3)),
        yaw=CircularBins(count=36, width=math.pi / 36, period=math.pi),
    )


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """A network in evaluation mode, and as it was afterwards."""
    before = network.training
    network.eval()
    yield
    network.train(before)


def _run(network: nn.Module, images: Tensor) -> Any:
    device = next(network.parameters()).device
    return network(normalise(images).contiguous(memory_format=torch.channels_last).to(device))


def _inside(samples: Samples) -> Tensor:
    """(N, K): every point of the channel is inside the image."""
    height, width = samples.images.shape[1:3]
    size = samples.points.new_tensor([width, height])
    return ((samples.points >= 0) & (samples.points < size)).all(-1).all(-1)
