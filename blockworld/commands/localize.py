"""blockworld localize: where the block is (or the clamp in the image), from image files or from a bag."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perception.errors import BlockworldError, JointStateError, reason
from perception.small_yaml import parse_yaml

if TYPE_CHECKING:
    from perception.bag import Recorded, Request
    from perception.estimate import BlockEstimate, Mode, ToolEstimate
    from perception.localize import Localizer, View
    from perception.robot import Robot

STAGES = click.Choice(["coarse", "tool", "fine"])


@click.command(
    epilog='Example: blockworld localize a.png b.png --joints "0,-0.4,0,-2,0,1.6,0.8" --overlay out'
)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path))
@click.option("--stage", type=STAGES, help="Default: coarse; with --bag: the stages that were recorded.")
@click.option(
    "--joints",
    multiple=True,
    help="Joint positions as numbers, those of the arm for open fingers, or a YAML file; once, or once per image.",
)
@click.option("--camera", multiple=True, help="Camera of each image, in order; default: a camera per image.")
@click.option(
    "--bag", type=click.Path(path_type=Path), help="A rosbag2 recording (folder or .mcap) to replay."
)
@click.option("--models", type=click.Path(path_type=Path), help="Folder of the models.")
@click.option("--engine", default="auto", show_default=True, help="What runs the networks.")
@click.option("--method", default="heatmaps", show_default=True, help="How the block is localized: heatmaps or bins.")
@click.option(
    "--overlay", type=click.Path(path_type=Path), help="Folder for the images with the estimate drawn in."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per estimate.")
def command(
    images: tuple[Path, ...],
    stage: str | None,
    joints: tuple[str, ...],
    camera: tuple[str, ...],
    bag: Path | None,
    models: Path | None,
    engine: str,
    method: str,
    overlay: Path | None,
    as_json: bool,
) -> None:
    """Print the block's pose with its uncertainty, from IMAGES of one moment or from a bag.

    IMAGES are files in colour or grey, of 8 or 16 bits, from 64 x 64 pixels to 100 megapixels. Stage coarse gives the
    block in the base frame, fine in the clamp's frame, tool the clamp in each image. A bag that holds estimates is
    replayed request by request, and what the node gave is printed beside each result.
    """
    from perception.bag import Request, read_requests
    from perception.methods import open_localizer

    if (bag is None) == (not images):
        raise click.UsageError("give image files, or a recording with --bag, and not both.")
    robot = _robot(models, stage or "coarse", method)
    if bag is None:
        requests = [Request(stage or "coarse", tuple(_views(images, joints, camera, robot)), None)]
    else:
        if joints or camera:
            raise click.UsageError("--joints and --camera belong to image files: a bag holds its own.")
        recorded = read_requests(bag, robot)
        requests = [one for one in recorded if stage in (None, one.stage) or one.stage is None]
        if not requests:
            raise BlockworldError(
                f"the bag {bag} holds no estimate of stage {stage}: leave --stage out to replay all."
            )
    wanted = {one.stage or stage or "coarse" for one in requests}
    localizer = open_localizer(models, engine, sorted(wanted), method)
    for number, request in enumerate(requests, start=1):
        name = request.stage or stage or "coarse"
        prefix = "" if len(requests) == 1 else f"{number:03d}_"
        for result in _localize(localizer, name, request):
            figures = _as_dict(result, request.recorded)
            click.echo(json.dumps(figures) if as_json else _as_text(figures))
            if overlay is not None:
                _draw(overlay, prefix, name, result, request.views, localizer.robot)


def _robot(models: Path | None, stage: str, method: str) -> "Robot":
    """The robot that the models of a method are for."""
    from perception.bundle import Bundle, default_models_dir
    from perception.methods import method_of

    return Bundle.load((models or default_models_dir()) / f"{stage}{method_of(method).SUFFIX}").robot()


def _localize(
    localizer: "Localizer", stage: str, request: "Request"
) -> "Sequence[BlockEstimate | ToolEstimate]":
    from perception.tracking import follow

    if stage == "tool":
        return [localizer.tool(view) for view in request.views]
    if stage == "fine":
        return [localizer.fine(request.views)]
    return [follow(localizer, request.views, request.origin)]


def _views(
    paths: Sequence[Path], joints: Sequence[str], cameras: Sequence[str], robot: "Robot"
) -> "list[View]":
    """One view per image file."""
    from perception import images
    from perception.localize import View

    count = len(paths)
    if not joints:
        raise JointStateError(
            'no joint positions were given: add --joints "q1,...,q9" or --joints FILE.yaml.'
        )
    for option, given in (("--joints", len(joints)), ("--camera", len(cameras))):
        if given not in ((1, count) if option == "--joints" else (0, count)):
            raise click.UsageError(
                f"{option} was given {given} times for {count} images: give it once per image."
            )
    positions = [_positions(text, robot) for text in joints]
    names = list(cameras) or [f"camera_{i}" for i in range(1, count + 1)]
    return [
        View(name, images.read(path), positions[i if len(positions) > 1 else 0])
        for i, (name, path) in enumerate(zip(names, paths, strict=True))
    ]


def _positions(text: str, robot: "Robot") -> Any:
    """Checked positions (J,) from numbers between commas, or from a YAML file with a list or names and
    numbers."""
    if text.endswith((".yaml", ".yml")):
        try:
            content = parse_yaml(Path(text).read_bytes())
        except (OSError, ValueError) as error:
            raise JointStateError(
                f"the joint file {text} cannot be read ({reason(error)}): give a list of numbers."
            ) from None
        if isinstance(content, dict):
            return robot.order(list(content), [_number(value, text) for value in content.values()])
        if not isinstance(content, list):
            raise JointStateError(f"the joint file {text} holds no list: give the positions as a YAML list.")
        values = [_number(value, text) for value in content]
    else:
        values = [_number(value, "--joints") for value in text.split(",")]
    return robot.check(
        robot.with_open_fingers(values) if len(values) == len(robot.arm) else values
    )


def _number(value: Any, source: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise JointStateError(
            f"{source} holds {value!r} where a number belongs: give rad, and m for fingers."
        ) from None


def _as_text(figures: dict[str, Any]) -> str:
    if figures["stage"] == "tool":
        u, v = figures["u_px"], figures["v_px"]
        sure = f"+-{figures['two_sigma_px']:.1f} px, confidence {100 * figures['confidence']:.0f} %"
        return f"tool in {figures['camera']}: u {u:.1f} px  v {v:.1f} px  {sure}"
    lines = [
        f"{figures['stage']}: block in {figures['frame']}: x {1e3 * figures['x_m']:.1f} mm  "
        f"y {1e3 * figures['y_m']:.1f} mm  yaw {figures['yaw_deg']:.1f} deg",
        f"  2 sigma: x {2e3 * figures['sigma_x_m']:.1f} mm  y {2e3 * figures['sigma_y_m']:.1f} mm  "
        f"yaw {2 * figures['sigma_yaw_deg']:.1f} deg",
        f"  size {' x '.join(f'{1e3 * side:.0f}' for side in figures['size_m'])} mm, "
        f"confidence {100 * figures['confidence']:.0f} %, {figures['engine']}",
        *(_evidence_as_text(one) for one in figures["evidence"]),
        *(f"  doubt: {doubt}" for doubt in figures["doubts"]),
        *(
            f"  or {100 * mode['weight']:.0f} %: x {1e3 * mode['x_m']:.1f} mm  y {1e3 * mode['y_m']:.1f} mm  "
            f"yaw {mode['yaw_deg']:.1f} deg"
            for mode in figures["modes"][1:]
        ),
    ]
    if "recorded" in figures:
        was, off = figures["recorded"], figures["difference"]
        lines.append(
            f"  recorded: x {1e3 * was['x_m']:.1f} mm  y {1e3 * was['y_m']:.1f} mm  "
            f"yaw {was['yaw_deg']:.1f} deg  ({was['engine']}); "
            f"difference {1e3 * off['position_m']:.3f} mm  {off['yaw_deg']:.4f} deg"
        )
    return "\n".join(lines)


def _evidence_as_text(one: dict[str, Any]) -> str:
    seen = f"robot {100 * one['robot']:.0f} %  block {100 * one['block']:.0f} %"
    unused = "" if one["used"] else ", not used"
    return f"  {one['camera']}: {seen}{unused}" + (f" ({one['doubt']})" if one["doubt"] else "")


def _as_dict(result: "BlockEstimate | ToolEstimate", recorded: "Recorded | None") -> dict[str, Any]:
    from dataclasses import asdict

    import numpy as np

    from perception.angles import difference
    from perception.estimate import ToolEstimate

    if isinstance(result, ToolEstimate):
        spread = 2.0 * float(np.sqrt(np.linalg.eigvalsh(result.covariance)[-1]))
        place = {"stage": "tool", "camera": result.camera, "u_px": result.u_px, "v_px": result.v_px}
        return place | {"two_sigma_px": spread, "confidence": result.confidence, "engine": result.engine}
    sigma = np.sqrt(np.diag(result.covariance)).tolist()
    x, y, yaw = result.in_base()
    figures: dict[str, Any] = {
        "stage": result.stage,
        "frame": result.frame,
        "x_m": result.x_m,
        "y_m": result.y_m,
        "yaw_deg": float(np.rad2deg(result.yaw_rad)),
        "sigma_x_m": sigma[0],
        "sigma_y_m": sigma[1],
        "sigma_yaw_deg": float(np.rad2deg(sigma[2])),
        "in_base": {"x_m": x, "y_m": y, "yaw_deg": float(np.rad2deg(yaw))},
        "size_m": list(result.size_m),
        "confidence": result.confidence,
        "modes": [_mode_as_dict(mode) for mode in result.modes],
        "evidence": [asdict(one) for one in result.evidence],
        "doubts": list(result.doubts),
        "views": list(result.views),
        "engine": result.engine,
    }
    if recorded is not None:
        yaw_off = float(np.rad2deg(difference(result.yaw_rad, recorded.yaw_rad, np.pi)))
        figures["recorded"] = {
            "x_m": recorded.x_m,
            "y_m": recorded.y_m,
            "yaw_deg": float(np.rad2deg(recorded.yaw_rad)),
            "engine": recorded.engine,
        }
        distance = float(np.hypot(result.x_m - recorded.x_m, result.y_m - recorded.y_m))
        figures["difference"] = {"position_m": distance, "yaw_deg": abs(yaw_off)}
    return figures


def _mode_as_dict(mode: "Mode") -> dict[str, float]:
    x, y, yaw = mode.mean.tolist()
    return {"x_m": x, "y_m": y, "yaw_deg": math.degrees(yaw), "weight": mode.weight}


def _draw(
    folder: Path,
    prefix: str,
    stage: str,
    result: "BlockEstimate | ToolEstimate",
    views: "Sequence[View]",
    robot: "Robot",
) -> None:
    """Writes one PNG per view with a camera."""
    import cv2

    from perception import overlay
    from perception.estimate import ToolEstimate

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlockworldError(
            f"cannot write to {folder} ({error.strerror}): choose another folder."
        ) from None
    for number, view in enumerate(views, start=1):
        if isinstance(result, ToolEstimate):
            if view.camera != result.camera:
                continue
            picture = overlay.draw_tool(view.image, result)
        elif view.camera in result.cameras:
            clamp = robot.clamp_pose(view.joints)
            picture = overlay.draw(view.image, result.cameras[view.camera], result, clamp)
        else:
            continue
        path = folder / f"{prefix}{number}_{view.camera.replace('/', '_')}_{stage}.png"
        if not cv2.imwrite(str(path), picture[..., ::-1]):
            raise BlockworldError(f"cannot write {path}: choose a folder that can be written to.")
