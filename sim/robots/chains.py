"""The chain of joints that perception reads, out of an assembled URDF."""

from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from pydantic import ValidationError

from perception.errors import RobotError
from perception.robot import Chain, Gripper, Joint, Mimic
from sim.robots.elements import checked, numbers
from sim.robots.schema import DescriptionFields

CONTINUOUS_RAD = 2 * np.pi  # a joint without limits may turn this far either way


def chain_of(robot: Element, path: Path, fields: DescriptionFields) -> Chain:
    """The chain of an assembled robot; raises RobotError for joints that do not make an arm with a gripper."""
    joints = [_joint(joint, path) for joint in robot.findall("joint")]
    chain = Chain.model_construct(
        name=fields.name,
        base=fields.base,
        gripper=Gripper.model_validate(fields.gripper.model_dump(exclude={"force"})),
        joints=_flattened(joints, path),
    )
    try:
        return Chain.model_validate(chain.model_dump())
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise RobotError(f"{path}: {reason}: correct the description or its URDF.") from None


def chain_text(chain: Chain, origin: str) -> str:
    """The chain as YAML, one joint per entry; `origin` says in its head where the figures come from."""
    gripper = chain.gripper
    lines = [
        f"# Kinematic chain of {chain.name}, written by `blockworld robot import` from {origin}.",
        "# Lengths in m, angles in rad; origins are the joint frame in the parent link (fixed-axis roll, pitch, yaw).",
        f"name: {chain.name}",
        f"base: {chain.base}",
        "gripper:",
        f"  joints: [{', '.join(gripper.joints)}]",
        f"  closed: {_number(gripper.closed)}",
        f"  open: {_number(gripper.open)}",
        f"  tips: [{', '.join(f'[{link}, {_list(xyz)}]' for link, xyz in gripper.tips)}]",
        "joints:",
    ]
    for joint in chain.joints:
        lines.append(f"  - {{name: {joint.name}, type: {joint.type}, parent: {joint.parent}, child: {joint.child},")
        rest = [f"xyz: {_list(joint.xyz)}", f"rpy: {_list(joint.rpy)}"]
        if joint.type != "fixed":
            rest += [f"axis: {_list(joint.axis)}", f"lower: {_number(joint.lower)}", f"upper: {_number(joint.upper)}"]
        if joint.mimic is not None:
            mimic = joint.mimic
            coupling = f"joint: {mimic.joint}, multiplier: {_number(mimic.multiplier)}, offset: {_number(mimic.offset)}"
            rest.append(f"\n     mimic: {{{coupling}}}")
        lines.append(f"     {', '.join(rest)}}}".replace(", \n", ",\n"))
    return "\n".join(lines) + "\n"


def _list(values: tuple[float, ...]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _number(value: float) -> str:
    """All digits, but "0" for 0.0."""
    return repr(value).removesuffix(".0")


def _joint(joint: Element, path: Path) -> Joint:
    name, kind = joint.get("name", ""), joint.get("type", "")
    origin, parent, child = joint.find("origin"), joint.find("parent"), joint.find("child")
    assert parent is not None and child is not None  # assembling checked it
    common = {
        "name": name,
        "parent": parent.get("link"),
        "child": child.get("link"),
        "xyz": numbers("0 0 0" if origin is None else origin.get("xyz", "0 0 0")),
        "rpy": numbers("0 0 0" if origin is None else origin.get("rpy", "0 0 0")),
    }
    if kind == "fixed":
        return Joint.model_validate({**common, "type": "fixed"})
    element, mimic = joint.find("axis"), joint.find("mimic")
    axis = np.array(numbers("1 0 0" if element is None else element.get("xyz", "1 0 0")))
    lower, upper = (-CONTINUOUS_RAD, CONTINUOUS_RAD) if kind == "continuous" else _limits(joint, path)
    coupling = None
    if mimic is not None:
        coupling = {
            "joint": mimic.get("joint", ""),
            "multiplier": float(mimic.get("multiplier", "1")),
            "offset": float(mimic.get("offset", "0")),
        }
    moving = {
        "type": "revolute" if kind == "continuous" else kind,
        "axis": [float(value) + 0.0 for value in axis / np.linalg.norm(axis)],
        "lower": lower,
        "upper": upper,
        "mimic": coupling,
    }
    return Joint.model_validate({**common, **moving})


def _limits(joint: Element, path: Path) -> tuple[float, float]:
    limit, name = joint.find("limit"), joint.get("name")
    lower, upper = (
        np.nan
        if limit is None or side not in limit.attrib
        else checked(limit.get(side, ""), 1, f"{path}: joint {name} of its URDF: the {side} of its limit")[0]
        for side in ("lower", "upper")
    )
    if not lower < upper:
        raise RobotError(
            f"{path}: joint {name} of its URDF has the limits {lower:g} to {upper:g}: give it a <limit> with "
            "lower < upper, or name it under `fixed`."
        )
    return lower, upper


def _flattened(joints: list[Joint], path: Path) -> tuple[Joint, ...]:
    """Joints that mimic one that mimics another, coupled to that other one."""
    by_name = {joint.name: joint for joint in joints}
    done = []
    for joint in joints:
        mimic = joint.mimic
        for _ in joints:
            leader = by_name.get(mimic.joint) if mimic else None
            if mimic is None or leader is None or leader.mimic is None:
                break
            offset = mimic.multiplier * leader.mimic.offset + mimic.offset
            multiplier = mimic.multiplier * leader.mimic.multiplier
            mimic = Mimic(joint=leader.mimic.joint, multiplier=multiplier, offset=offset)
        else:
            raise RobotError(f"{path}: joint {joint.name} mimics itself: undo that under `mimic`.")
        done.append(joint.model_copy(update={"mimic": mimic}))
    return tuple(done)
