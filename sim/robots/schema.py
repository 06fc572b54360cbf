"""The YAML that says of a URDF what the URDF does not: frames, gripper, home, ranges and keypoints.

Lengths in m, angles in rad. `sim/robots/descriptions/` holds those that come with Blockworld; docs/your-robot.md
explains how to write one.
"""

import math
import os
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from perception.errors import RobotError
from perception.robot import Mimic
from sim.robots.description import Place, Range

DESCRIPTION_FILE = "robot.yaml"
FOLDER = Path(__file__).parent / "descriptions"

Vector = tuple[float, float, float]
FEWEST_OVERVIEW = 5


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Coupling(Mimic):
    """A joint that follows another one, by finite numbers."""

    model_config = ConfigDict(allow_inf_nan=False)


class Frame(_Strict):
    """A frame fixed to a link."""

    link: str
    xyz: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)


class Attachment(Frame):
    """A gripper from a file of its own: its link `root` is put into this frame of the arm.

    What is above `root` in that file (a world, a lift) is left out.
    """

    file: str
    root: str


class GripperFields(_Strict):
    """The joints that drive the fingers; each takes the same position, `closed` to `open`."""

    joints: Annotated[tuple[str, ...], Field(min_length=1)]
    closed: float
    open: float
    tips: tuple[Place, Place]
    """The middle of each finger's gripping face at its tip: [link, [x, y, z]]."""
    force: PositiveFloat
    """What a finger joint's motor can do, N or N m."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.closed == self.open:
            raise ValueError("closed and open are the same: give the positions of a closed and an open gripper")
        return self


class KeypointFields(_Strict):
    """A keypoint: one place, or two that look alike."""

    name: str
    places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=2)]


class KeypointLists(_Strict):
    """Keypoints in images of the whole arm, and in those around the clamp."""

    overview: Annotated[tuple[KeypointFields, ...], Field(min_length=FEWEST_OVERVIEW)]
    close_up: Annotated[tuple[KeypointFields, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for group in (self.overview, self.close_up):
            names = [keypoint.name for keypoint in group]
            if repeated := [name for name in names if names.count(name) > 1]:
                raise ValueError(f"the keypoint {repeated[0]} is there twice")
        return self


class DescriptionFields(_Strict):
    """What the YAML holds; `RobotDescription` explains the fields that it shares."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    title: str = ""
    """What people call it, as in "trained for ..."; the name where there is none."""
    urdf: str = ""
    """A path, relative to this file, or pybullet_data://PATH; `blockworld robot import` fills it in."""
    packages: dict[str, str] = {}
    """Folders of the ROS packages that mesh names like package://NAME/... refer to."""
    base: str
    """The link whose frame is the base; it stands upright on the support's plane z = 0."""
    attach: tuple[Attachment, ...] = ()
    drop: tuple[str, ...] = ()
    """Links to leave out, with all that hangs on them."""
    fixed: dict[str, float] = {}
    """Joints that shall not move, and where they stay."""
    mimic: dict[str, Coupling | None] = {}
    """Couplings that the URDF lacks (JOINT: {joint: OTHER, multiplier: 1, offset: 0}), or null for one to undo."""
    clamp: Frame
    """Between the finger tips: x the closing direction, z out of the hand."""
    gripper: GripperFields
    home: Annotated[tuple[float, ...], Field(min_length=1)]
    arm_spread_rad: tuple[PositiveFloat, ...]
    arm_force: tuple[PositiveFloat, ...] | None = None
    """None: the efforts of the URDF."""
    reach_m: Range
    workspace_x_m: Range
    workspace_y_m: Range
    hover_height_m: Range = (0.08, 0.20)
    camera_target_m: Vector
    span_m: PositiveFloat
    clear_links: Annotated[tuple[str, ...], Field(min_length=1)]
    keypoints: KeypointLists

    @model_validator(mode="after")
    def _ranges_rise(self) -> Self:
        for field in ("reach_m", "workspace_x_m", "workspace_y_m", "hover_height_m"):
            low, high = getattr(self, field)
            if not low < high:
                raise ValueError(f"{field} goes from {low:g} to {high:g}: give the lower bound first")
        return self

    @model_validator(mode="after")
    def _blocks_find_places(self) -> Self:
        (x0, x1), (y0, y1), (low, high) = self.workspace_x_m, self.workspace_y_m, self.reach_m
        nearest = math.hypot(max(x0, -x1, 0.0), max(y0, -y1, 0.0))
        farthest = math.hypot(max(-x0, x1), max(-y0, y1))
        if nearest >= high or farthest <= low:
            raise ValueError(
                f"the workspace is {nearest:.3g} to {farthest:.3g} m from the base's axis, all of it outside reach_m, "
                f"{low:g} to {high:g}: widen one of them"
            )
        return self


def known_descriptions() -> list[str]:
    """Names of the robots that come with Blockworld, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_description(name: str) -> Path:
    """The YAML of a robot's name, of a file, or of a folder with a robot.yaml; raises RobotError."""
    shipped = FOLDER / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    path = Path(name)
    if path.is_dir():
        path = path / DESCRIPTION_FILE
    if path.is_file():
        return path.resolve()
    if os.sep in name or name.endswith(".yaml"):
        raise RobotError(
            f"there is no robot at {path}: give the folder that `blockworld robot import` wrote, or its YAML."
        )
    raise RobotError(
        f"there is no robot named {name!r} (known: {', '.join(known_descriptions())}): give one of these, or the "
        "path of a description (docs/your-robot.md)."
    )


def read_description(path: Path) -> DescriptionFields:
    """The fields of a description; raises RobotError that names the file, the field and what is wrong."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RobotError(f"{path} cannot be read ({error.strerror}): give a description's YAML.") from None
    except (ValueError, yaml.YAMLError) as error:  # no UTF-8, or a date that there is not
        reason = " ".join(str(error).split())
        raise RobotError(f"{path} is no YAML ({reason}): correct it there.") from None
    if not isinstance(content, dict):
        raise RobotError(f"{path} holds no fields: write a description as docs/your-robot.md explains.")
    try:
        return DescriptionFields.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the description"
        reason = first["msg"].removeprefix("Value error, ")
        raise RobotError(f"{path}: {place}: {reason} (docs/your-robot.md lists the fields).") from None
