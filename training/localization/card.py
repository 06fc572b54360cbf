"""The model card of a localization network."""

from perception.bundle import Manifest
from sim.robots import RobotDescription
from training.localization.config import LocalizationConfig

PURPOSE = {
    "coarse": "finds points of the robot and of the block in a whole overview image, whatever the robot's joints",
    "tool": "finds the clamp in a whole overview image while it hovers over the block",
    "fine": "finds points of the gripper and of the block in a close-up around the clamp",
}


def write_card(config: LocalizationConfig, manifest: Manifest, robot: RobotDescription) -> str:
    """Markdown: what the network does, how to make it again, what was measured, where it fails."""
    rows = [
        f"| {channel.name} | {manifest.metrics[f'{channel.name}_median_px']:.2f} | "
        f"{100 * manifest.metrics[f'{channel.name}_missed']:.1f} % |"
        for channel in manifest.output.channels
    ]
    data = "coarse" if config.task == "tool" else config.task
    first = "    blockworld train localization-coarse\n" if config.warm_start else ""
    return f"""# {manifest.name} {manifest.version}

This network {PURPOSE[config.task]}.
It takes {manifest.input.width} x {manifest.input.height} RGB images and gives one heat map of that size per point:
the log-posterior of the point's place in the image.

## Made by

    blockworld dataset build training/localization/datasets/{data}.yaml --out data/{data} --workers 2
    blockworld dataset build training/localization/datasets/{data}_validation.yaml --out data/{data}_validation
{first}    blockworld train localization-{config.task}

It saw {config.samples:,} images, augmented, rendered by PyBullet's TinyRenderer; no photograph and no hand-made label.

## Measured

On held-out scenes of the same renderer, distance of the decoded point at {manifest.input.width} px image width:

| point | median px | farther than 10 px |
|---|---|---|
{chr(10).join(rows)}

The logits are multiplied by {manifest.metrics["sharpness"]:.2f} so that the heat maps are calibrated
posteriors on these scenes (temperature scaling).

## Limits

Trained for {robot.title} and for one cuboid block of 60-120 mm by 25-55 mm by 30-60 mm on
a plane at the height of the robot's base. Cameras in front of or beside the robot, 18 to 60 degrees above the plane.
"""
