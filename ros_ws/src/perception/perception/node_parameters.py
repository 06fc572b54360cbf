"""Parameters of the nodes: names, defaults, meaning and limits, in one place for nodes, graphs and documents.

A frozen dataclass per node; every field is a ROS 2 parameter of the same name. `checked` refuses values that
a node cannot work with, with one sentence that names the parameter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from perception.engine_names import AUTO, ENGINES
from perception.errors import BlockworldError
from perception.shapes.categories import OBJECTS
from perception.synchronizer import RULES

CAMERA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_UNITS = {"s": "s", "m": "m", "rad": "rad", "hz": "Hz", "mb": "MB"}
CONTINUOUS = ("none", "coarse", "tool", "fine")  # "off" is false in YAML
METHODS = ("heatmaps", "bins")  # those of perception.methods, which takes long to import


def parameter(
    default: Any,
    help_text: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = False,
) -> Any:
    """A dataclass field that is a ROS 2 parameter; minimum and maximum are inclusive, and its unit is how its name
    ends. Read only: it counts when the node starts, and cannot be changed later."""
    return field(
        default=default,
        metadata={
            "help": help_text,
            "minimum": minimum,
            "maximum": maximum,
            "choices": choices,
            "read_only": read_only,
        },
    )


def unit_of(name: str) -> str:
    """The unit of a parameter: "s" of timeout_s, "" of what has none."""
    return next((unit for ending, unit in _UNITS.items() if name.endswith(f"_{ending}")), "")


def range_of(entry: Field) -> str:
    """What a parameter may be, in words; "" for any value of its type."""
    limits = entry.metadata
    if limits["choices"]:
        return ("some of " if isinstance(entry.default, tuple) else "one of ") + ", ".join(limits["choices"])
    return "" if limits["minimum"] is None else f"from {limits['minimum']:g} to {limits['maximum']:g}"


@dataclass(frozen=True)
class ManagedParameters:
    """What every lifecycle node has."""

    autostart: bool = parameter(False, "configure and activate by itself at the start", read_only=True)


@dataclass(frozen=True)
class SimWorldParameters(ManagedParameters):
    """Parameters of the lifecycle node `sim_world`."""

    world: str = parameter("pybullet", "simulated world: a registered name, or module:Class")
    robot: str = parameter(
        "", "robot of the world: a name, or the folder of a description; empty: the world's own"
    )
    seed: int = parameter(0, "seed of the series of worlds", 0, 2**62)
    index: int = parameter(0, "which world of the series to start with", 0, 2**31 - 1)
    image_rate_hz: float = parameter(4.0, "images of each camera", 0.1, 60.0)
    joint_rate_hz: float = parameter(10.0, "joint states", 0.1, 1000.0)


@dataclass(frozen=True)
class LocalizerParameters(ManagedParameters):
    """Parameters of the lifecycle node `localizer`."""

    cameras: tuple[str, ...] = parameter(
        ("camera_1", "camera_2", "camera_3"), "cameras to listen to, each on the topic NAME/image_raw"
    )
    method: str = parameter("heatmaps", "how the block is localized", choices=METHODS)
    models: str = parameter("", "folder of the models; empty: BLOCKWORLD_MODELS, else the checkout's models/")
    engine: str = parameter(AUTO, "inference engine", choices=tuple(ENGINES))
    continuous: str = parameter("none", "stage that is done again and again without being asked", choices=CONTINUOUS)
    base_frame: str = parameter("", "frame of the robot base; empty: the base link of the models' robot")
    clamp_frame: str = parameter("clamp", "frame between the finger tips")
    block_frame: str = parameter("block", "frame of the block on /tf")
    reliable_inputs: bool = parameter(
        False, "subscribe reliably to images and joint states; they must be published so", read_only=True
    )
    sync_slop_s: float = parameter(0.1, "how far apart the images of one estimate may be taken", 0.0, 10.0)
    sync_rule: str = parameter("newest", "which of several sets of images so close is used", choices=RULES)
    oldest_frame_s: float = parameter(0.1, "age of an image beyond which continuous mode passes it over", 0.01, 10.0)
    oldest_stamp_s: float = parameter(
        5.0, "how old by its stamp an image or joint state may come in", 0.05, 3600.0
    )
    clock_tolerance_s: float = parameter(0.2, "how far in the future a stamp may lie", 0.0, 60.0)
    expected_latency_s: float = parameter(
        0.15, "time from an image to its estimate beyond which the diagnostics of continuous mode warn", 0.001, 60.0
    )
    timeout_s: float = parameter(20.0, "time limit of a goal that names none", 0.5, 3600.0)
    joint_gap_s: float = parameter(0.5, "longest time from an image to its joint states", 0.001, 10.0)
    still_within_rad: float = parameter(0.02, "how much a joint may move around an image", 1e-6, 1.0)
    stale_after_s: float = parameter(3.0, "age at which cameras and joints count as silent", 0.1, 3600.0)
    move_timeout_s: float = parameter(60.0, "time limit of one motion of the clamp", 1.0, 3600.0)


@dataclass(frozen=True)
class PickParameters(ManagedParameters):
    """Parameters of the lifecycle node `pick`."""

    hover_m: float = parameter(0.12, "height of the finger tips over the block's bottom for the close-ups", 0.05, 0.5)
    grasp_m: float = parameter(
        0.02, "least height of the finger tips over the block's bottom when they close", 0.005, 0.1
    )
    aside_m: float = parameter(
        0.05, "distance of the block from below the clamp beyond which close-ups are taken anew over it", 0.01, 0.5
    )
    lift_m: float = parameter(0.15, "height by which the block is lifted", 0.02, 0.5)
    opening_m: float = parameter(0.08, "opening of the clamp before the grasp", 0.01, 0.2)
    clamp_yaw_rad: float = parameter(0.0, "clamp yaw in the base of the first close-up", -math.pi, math.pi)
    least_confidence: float = parameter(0.3, "confidence of an estimate below which nothing is picked", 0.0, 1.0)
    localize_timeout_s: float = parameter(60.0, "time limit of one localization", 0.5, 3600.0)
    move_timeout_s: float = parameter(60.0, "time limit of one motion of the clamp", 1.0, 3600.0)


@dataclass(frozen=True)
class GraspTransferParameters(ManagedParameters):
    """Parameters of the lifecycle node `grasp_transfer`."""

    categories: tuple[str, ...] = parameter(OBJECTS, "categories of objects that are known", choices=OBJECTS)
    models: str = parameter("", "folder of the models; empty: BLOCKWORLD_MODELS, else the checkout's models/")
    exemplars: int = parameter(3, "how many annotated objects, the most alike, give their grasps", 1, 100)
    most: int = parameter(10, "most grasps of an answer whose request names no number", 1, 1000)
    timeout_s: float = parameter(60.0, "time limit of one request", 1.0, 3600.0)


@dataclass(frozen=True)
class BagRecorderParameters(ManagedParameters):
    """Parameters of the lifecycle node `bag_recorder`."""

    folder: str = parameter("", "folder of the bag; it must not exist yet")
    topics: tuple[str, ...] = parameter(
        (
            "camera_1/image_raw",
            "camera_2/image_raw",
            "camera_3/image_raw",
            "joint_states",
            "localizer/estimate",
            "localizer/tool",
            "sim_world/truth",
        ),
        "topics to record; a topic that appears later is joined when it appears",
    )
    only_used_images: bool = parameter(True, "of the images keep just those that an estimate was made from")
    keep_free_mb: int = parameter(
        200, "room on the disk that is left: with less, the bag is closed and recording ends", 1, 10**6
    )


def checked(kind: type, values: Mapping[str, Any]) -> Any:
    """A parameter dataclass from values by name; raises BlockworldError naming a bad parameter."""
    known = {entry.name: entry for entry in fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise BlockworldError(f"there is no parameter '{name}'; the parameters are {', '.join(known)}.")
        check_value(known[name], value)
    return kind(**{name: tuple(v) if isinstance(v, list | tuple) else v for name, v in values.items()})


def check_value(entry: Field, value: Any) -> None:
    """Raise BlockworldError, naming the parameter, unless a value has the type and range of the field."""
    name, default, limits = entry.name, entry.default, entry.metadata
    if isinstance(default, tuple):
        _check_names(name, value, limits["choices"])
        return
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise BlockworldError(
            f"parameter '{name}' is {value!r}: give a value of type {type(default).__name__}, "
            f"as in {default!r}."
        )
    if limits["choices"] and value not in limits["choices"]:
        known = ", ".join(limits["choices"])
        raise BlockworldError(f"parameter '{name}' is '{value}': give one of {known}.")
    if limits["minimum"] is not None and not limits["minimum"] <= value <= limits["maximum"]:
        lowest, highest = limits["minimum"], limits["maximum"]
        raise BlockworldError(f"parameter '{name}' is {value}: give a number from {lowest:g} to {highest:g}.")


def _check_names(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(item, str) for item in value):
        raise BlockworldError(f"parameter '{name}' is {value!r}: give a list with at least one name.")
    if len(set(value)) != len(value):
        raise BlockworldError(
            f"parameter '{name}' names something twice: {', '.join(value)}; name each once."
        )
    if unknown := [item for item in value if choices and item not in choices]:
        raise BlockworldError(f"parameter '{name}' holds '{unknown[0]}': give some of {', '.join(choices)}.")
    if name == "cameras":
        for item in value:
            if not CAMERA_NAME.fullmatch(item):
                raise BlockworldError(
                    f"parameter 'cameras' holds '{item}': a camera is named by letters, digits and _, "
                    "as in camera_1."
                )


NODES: dict[str, tuple[type, str]] = {
    "localizer": (LocalizerParameters, "at `configure`"),
    "pick": (PickParameters, "with the next goal"),
    "sim_world": (SimWorldParameters, "at `configure`"),
    "bag_recorder": (BagRecorderParameters, "at `configure`"),
    "grasp_transfer": (GraspTransferParameters, "at `configure`"),
}
"""Of each node its parameters, and when those that are not read only take effect."""


def table(node: str) -> str:
    """The node's parameters as a table in Markdown."""
    kind, takes_effect = NODES[node]
    rows = ["| parameter | default | unit | range | takes effect | |", "|---|---|---|---|---|---|"]
    for entry in fields(kind):
        default = ", ".join(entry.default) if isinstance(entry.default, tuple) else str(entry.default)
        when = "at the start; read only" if entry.metadata["read_only"] else takes_effect
        cells = (f"`{entry.name}`", default, unit_of(entry.name), range_of(entry), when, entry.metadata["help"])
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)
