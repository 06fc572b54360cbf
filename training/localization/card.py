"""The model card of a localization network."""

from perception.bundle import Heatmaps, Manifest
from sim.robots import RobotDescription
from training.localization.config import LocalizationConfig

PURPOSE = {
    "coarse": "finds points of the robot and of the block in a whole overview image, whatever the robot's joints",
    "tool": "finds points of the robot in a whole overview image while the clamp hovers over the block",
    "fine": "finds points of the gripper and of the block in a close-up around the clamp",
    "block": "finds the corners of the block in a picture cut around a first estimate, its long side left to right",
    "coarse_bins": "scores bins of the block's x, y and yaw in base from a whole overview image",
    "tool_bins": "scores bins of the clamp's place in a whole overview image while it hovers over the block",
    "fine_bins": "scores bins of the block's x, y and yaw in the clamp's frame from a close-up around the clamp",
}


def write_card(config: LocalizationConfig, manifest: Manifest, robot: RobotDescription) -> str:
    """Markdown: what the network does, how to make it again, what was measured, where it fails."""
    before = f" Its first weights are `{config.warm_start}` of another recipe." if config.warm_start else ""
    return f"""# {manifest.name} {manifest.version}

This network {PURPOSE[manifest.name]}.
It takes {manifest.input.width} x {manifest.input.height} RGB images and gives {_gives(manifest)}.

## Made by

    {manifest.training["command"]}

which builds the data sets {", ".join(f"`{folder.name}`" for folder in config.data)} of `training/localization/datasets`
where they are missing.{before} It saw {config.samples:,} images, augmented, drawn by the renderer gl; no photograph and
no hand-made label. Configuration:

{_configuration(config)}

## Measured

On held-out scenes of the same renderer:

{_figures(manifest)}

How well it localizes, on images of another renderer, stands in `docs/localization.md`.

## Limits

Trained for {robot.title} and for one cuboid block of 60-120 mm by 25-55 mm by 30-60 mm on flat or rough ground
about the height of the robot's base, tilted by 12 degrees at most. Cameras in front of or beside the robot, 18 to 60
degrees above the plane.
"""


def _gives(manifest: Manifest) -> str:
    if isinstance(manifest.output, Heatmaps):
        size = f"{manifest.output.width} x {manifest.output.height}"
        return f"one heat map of {size} cells per point: the log-probability that the point is there"
    return f"{manifest.output_shape[0]} scores, one per bin"


def _configuration(config: LocalizationConfig) -> str:
    values = config.model_dump(mode="json", exclude={"data", "validation", "out", "checkpoint_s"})
    return "\n".join(f"    {name}: {value}" for name, value in values.items() if value is not None)


def _figures(manifest: Manifest) -> str:
    metrics = manifest.metrics
    if not isinstance(manifest.output, Heatmaps):
        rows = [f"| {name.replace('_', ' ')} | {value:.3g} |" for name, value in metrics.items()]
        return "\n".join(["| figure | value |", "|---|---|", *rows])
    head = f"Distance of the decoded point, px of an image {manifest.input.width} px wide:"
    rows = [
        f"| {one.name} | {metrics[f'{one.name}_median_px']:.2f} | {100 * metrics[f'{one.name}_missed']:.1f} % |"
        for one in manifest.output.channels
    ]
    return "\n".join([head, "", "| point | median px | farther than 10 px |", "|---|---|---|", *rows])
