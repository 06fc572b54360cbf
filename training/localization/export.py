"""From trained weights to a bundle: ONNX, manifest and card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from perception.bundle import BinScores, Bundle, Channel, Crop, Heatmaps, Input, LinkPoint, Manifest
from perception.crop import BLOCK_SIDE_M, SIDE_M
from perception.errors import BlockworldError
from sim import keypoints
from sim.robots.chains import chain_text
from training.core.half_weights import with_half_weights
from training.core.onnx_export import exported
from training.core.provenance import commit
from training.localization.bins import DeployedBins
from training.localization.card import write_card
from training.localization.config import LocalizationConfig
from training.localization.data import Samples, held_out_samples
from training.localization.fewer_steps import in_fewer_steps
from training.localization.model import STRIDE, DeployedNetwork
from training.localization.noise import noises
from training.localization.objectives import BinObjective, HeatmapObjective, bins_of, objective_of
from training.localization.quantize import quantized
from training.localization.subject import robot_of
from training.localization.weights import load_weights

VERSION = "0.1.0"
FRAMES = {"coarse": "base", "tool": "image", "fine": "clamp", "block": "image"}
CROPS = {"fine": Crop(side_m=SIDE_M), "block": Crop(side_m=BLOCK_SIDE_M)}


@dataclass(frozen=True)
class Exported:
    """A written bundle and what was measured on the way."""

    bundle: Bundle
    metrics: dict[str, float]


def export(config: LocalizationConfig, models_dir: Path) -> Exported:
    """Write the bundle models_dir/TASK from `config.out`/weights.pt, calibrated and measured on held-out images.

    Raises BlockworldError where nothing was trained yet.
    """
    objective = objective_of(config)
    if not load_weights(config.out / "weights.pt", objective.network):
        raise BlockworldError(
            f"{config.out} has no weights.pt: train first with `blockworld train {_recipe_of(_name_of(config))}`."
        )
    objective.network.eval()
    held_out = held_out_samples(config.task, config.validation)
    metrics = objective.evaluate(held_out)
    height, width = held_out.images.shape[1:3]
    dense = isinstance(objective, HeatmapObjective)
    if isinstance(objective, HeatmapObjective):
        deployed: nn.Module = DeployedNetwork(objective.network)
        output: Heatmaps | BinScores = heatmaps_of(objective, held_out)
    else:
        assert isinstance(objective, BinObjective)
        deployed, output = DeployedBins(objective.network), BinScores()
    network = to_onnx(deployed, width, height, output.name)
    manifest = describe(config, width, height, metrics, output)
    robot = robot_of(config)
    bundle = Bundle.write(
        models_dir / manifest.name,
        manifest,
        with_half_weights(in_fewer_steps(network)),
        write_card(config, manifest, robot),
        None if robot.ships else chain_text(robot.robot.chain, robot.name),
        in_fewer_steps(quantized(network, held_out.images.numpy(), config.seed)) if dense else None,
    )
    return Exported(bundle, metrics)


def to_onnx(network: nn.Module, width: int, height: int, output: str) -> bytes:
    """The network as ONNX, for any batch size, batch normalisation folded into the convolutions."""
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    return exported(network, (example,), [output], {"image": {0: torch.export.Dim("batch")}})


def heatmaps_of(trained: HeatmapObjective, held_out: Samples) -> Heatmaps:
    """What a network's maps show, and how far off they are on held-out images."""
    config = trained.config
    height, width = held_out.images.shape[1:3]
    own = noises(trained, held_out, config.target_sigma)
    channels = tuple(
        Channel(name=channel.name, kind=channel.kind, noise=noise, **_places(channel))
        for channel, noise in zip(trained.channels, own, strict=True)
    )
    return Heatmaps(width=width // STRIDE, height=height // STRIDE, sigma=config.target_sigma, channels=channels)


def describe(
    config: LocalizationConfig, width: int, height: int, metrics: dict[str, float], output: Heatmaps | BinScores
) -> Manifest:
    """The manifest of a network of this configuration for images of width x height."""
    name = _name_of(config)
    return Manifest(
        name=name,
        version=VERSION,
        task=f"localization.{config.task}",  # type: ignore[arg-type]
        robot=robot_of(config).robot.name,
        frame=FRAMES[config.task],  # type: ignore[arg-type]
        input=Input(width=width, height=height),
        output=output,
        crop=CROPS.get(config.task),
        bins=None if config.task == "block" else bins_of(config.task, robot_of(config)),
        training={
            "commit": commit(),
            "command": f"blockworld train {_recipe_of(name)}",
            "seed": config.seed,
            "samples": config.samples,
        },
        metrics=metrics,
    )


def _name_of(config: LocalizationConfig) -> str:
    """Of the bundle."""
    return config.task if config.method == "heatmaps" else f"{config.task}_bins"


def _recipe_of(name: str) -> str:
    return f"localization-{name.replace('_', '-')}"


def _places(channel: keypoints.Channel) -> dict[str, Any]:
    if channel.kind == "block":
        return {"parts": tuple(part for _, part in channel.places)}
    return {"points": tuple(LinkPoint(link=link, xyz_m=xyz) for link, xyz in channel.places)}
