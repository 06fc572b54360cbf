"""From trained weights to a bundle: ONNX, manifest and card."""

import math
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from perception.bundle import (
    Bundle,
    Channel,
    CircularBins,
    Crop,
    ImageBins,
    Input,
    LinearBins,
    LinkPoint,
    Manifest,
    Output,
    PixelBins,
    PoseBins,
)
from perception.crop import SIDE_M
from perception.errors import BlockworldError
from sim.robots import RobotDescription
from sim.robots.chains import chain_text
from training.core.checkpoint import load_checkpoint
from training.core.provenance import commit
from training.localization.card import write_card
from training.localization.config import LocalizationConfig
from training.localization.data import load_samples
from training.localization.evaluate import calibrate, evaluate
from training.localization.model import DeployedNetwork
from training.localization.subject import channels_of, robot_of
from training.localization.train import build_network

VERSION = "0.1.0"
OPSET = 18
FRAMES = {"coarse": "base", "tool": "image", "fine": "clamp"}
GRID_STEP_M = 0.05


@dataclass(frozen=True)
class Exported:
    """A written bundle and what was measured on the way."""

    bundle: Bundle
    metrics: dict[str, float]


def export(config: LocalizationConfig, models_dir: Path) -> Exported:
    """Write the bundle models_dir/TASK from `config.out`/weights.pt, calibrated and measured on held-out images.

    Raises BlockworldError where nothing was trained yet.
    """
    weights = load_checkpoint(config.out / "weights.pt")
    if weights is None:
        raise BlockworldError(
            f"{config.out} has no weights.pt: train first with `blockworld train localization-{config.task}`."
        )
    network = build_network(config)
    network.load_state_dict(weights)
    network.eval()
    held_out = load_samples(config.task, config.validation)
    sharpness = calibrate(network, held_out)
    metrics = {**evaluate(network, held_out, config), "sharpness": round(sharpness, 4)}
    deployed = DeployedNetwork(network, sharpness).eval()
    height, width = held_out.images.shape[1:3]
    manifest = describe(config, width, height, metrics)
    robot = robot_of(config.data)
    bundle = Bundle.write(
        models_dir / config.task,
        manifest,
        to_onnx(deployed, width, height),
        write_card(config, manifest, robot),
        None if robot.ships else chain_text(robot.robot.chain, robot.name),
    )
    return Exported(bundle, metrics)


def to_onnx(network: DeployedNetwork, width: int, height: int) -> bytes:
    """The network as ONNX, for any batch size, batch normalisation folded into the convolutions."""
    example = torch.zeros(
        2, height, width, 3, dtype=torch.uint8
    )  # a batch of one would be taken for a constant
    program = torch.onnx.export(
        network,
        (example,),
        dynamo=True,
        input_names=["image"],
        output_names=["log_heatmaps"],
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        opset_version=OPSET,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


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


def describe(config: LocalizationConfig, width: int, height: int, metrics: dict[str, float]) -> Manifest:
    """The manifest of a network of this configuration for images of width x height."""
    channels = tuple(
        Channel(
            name=channel.name,
            modes=2 if channel.modes == 2 else 1,
            kind=channel.kind,
            points=tuple(LinkPoint(link=link, xyz_m=xyz) for link, xyz in channel.places),
        )
        for channel in channels_of(config)
    )
    return Manifest(
        name=config.task,
        version=VERSION,
        task=f"localization.{config.task}",  # type: ignore[arg-type]
        robot=robot_of(config.data).robot.name,
        frame=FRAMES[config.task],  # type: ignore[arg-type]
        input=Input(width=width, height=height),
        output=Output(width=width, height=height, channels=channels),
        crop=Crop(side_m=SIDE_M) if config.task == "fine" else None,
        bins=bins_of(config.task, robot_of(config.data)),
        training={
            "commit": commit(),
            "command": f"blockworld train localization-{config.task}",
            "seed": config.seed,
            "samples": config.samples,
        },
        metrics=metrics,
    )
