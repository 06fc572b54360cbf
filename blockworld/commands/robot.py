"""blockworld robot: the robots that are there, pictures of them, and how yours becomes one of them."""

import math
from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError, RobotError


def _finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    """A callback: ranges of click let NaN pass."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.", ctx, param)
    return value


@click.group(epilog="Example: blockworld robot show panda --out panda.png")
def command() -> None:
    """List, show and import robots (docs/your-robot.md)."""


@command.command("list", epilog="Example: blockworld robot list")
def list_() -> None:
    """A table of the robots that come with Blockworld: joints, gripper, reach, and whether their files are here."""
    from sim.robots import known_descriptions, load_robot

    rows = [("NAME", "JOINTS", "OPENING", "REACH", "STATE")]
    for name in known_descriptions():
        try:
            robot = load_robot(name)
        except RobotError as error:
            rows.append((name, "-", "-", "-", str(error)))
            continue
        joints = f"{len(robot.arm)} + {len(robot.fingers)}"
        low, high = robot.reach_m
        rows.append((name, joints, f"{1000 * robot.opening_m:.0f} mm", f"{low:.2f}-{high:.2f} m", robot.title))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]))


@command.command("show", epilog="Example: blockworld robot show my_robot/ --out my_robot.png")
@click.argument("name")
@click.option("--out", required=True, type=NewFile(".png"), help="PNG file to write.")
@click.option("--renderer", default="gl", show_default=True, help="Renderer to draw with.")
@click.option(
    "--azimuth", default=-50.0, show_default=True, callback=_finite,
    help="Where the camera stands about the base, degrees from x.",
)  # fmt: skip
def show(name: str, out: Path, renderer: str, azimuth: float) -> None:
    """Draw a robot at home, by NAME or path: frames of base and clamp, keypoints, and where blocks may lie.

    Keypoints of overviews are orange, those only of close-ups blue; axes x, y, z are red, green, blue.
    """
    import cv2
    import numpy as np

    from sim.renderers import open_renderer
    from sim.robots import load_robot
    from sim.robots.portrait import portrait

    robot = load_robot(name)
    try:
        canvas = open_renderer(renderer)
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    image = portrait(robot, canvas, float(np.radians(azimuth)))
    write_files({out: cv2.imencode(".png", image[..., ::-1])[1].tobytes()})
    click.echo(f"{out}: {robot.title}, {len(robot.parts)} parts, keypoints {_names(robot.overview)}")


@command.command("import", epilog="Example: blockworld robot import my.urdf my_robot.yaml --out robots/my_robot")
@click.argument("urdf")
@click.argument("description", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write.")
def import_(urdf: str, description: Path, out: Path) -> None:
    """Check URDF and DESCRIPTION, make its meshes light, and write the folder that names the robot elsewhere.

    The folder holds robot.yaml, which the simulator reads, and chain.yaml, which the robot's computer reads.
    """
    from sim.robots.importing import import_robot

    try:
        robot = import_robot(urdf, description, out)
    except OSError as error:
        raise BlockworldError(f"cannot write {out} ({error.strerror}): choose another folder.") from error
    click.echo(
        f"{out}: {robot.robot.name}, joints {', '.join(robot.robot.joint_names)}; the gripper opens "
        f"{1000 * robot.opening_m:.0f} mm; see it with `blockworld robot show {out} --out robot.png`"
    )


def _names(keypoints: tuple) -> str:
    return ", ".join(keypoint.name for keypoint in keypoints)
