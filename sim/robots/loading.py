"""From a robot's name or path to its description."""

import hashlib
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

from perception.errors import RobotError
from perception.robot import Chain, Robot
from sim.meshes import Mesh
from sim.robots.cache import URDF_FILE, made_folder, read_index, read_parts
from sim.robots.chains import chain_of
from sim.robots.description import Keypoint, Part, Place, RobotDescription, frozen
from sim.robots.elements import checked
from sim.robots.schema import FOLDER, DescriptionFields, KeypointFields, find_description, read_description
from sim.robots.urdf import CLAMP, assemble

LEAST_STROKE_M = 1e-3  # by which the tips come closer, or they are not those of a gripper


def load_robot(name: str | os.PathLike[str] = "panda") -> RobotDescription:
    """The robot of a name that comes with Blockworld, or of a description's file or folder.

    Its meshes are made on first use, in a few seconds, and kept in the user's cache. Raises RobotError, which is a
    ValueError and a BlockworldError, with a sentence about what is missing or wrong.
    """
    return _load(find_description(str(name)))


def load_part(name: str) -> Mesh:
    """The mesh of part NAME/NUMBER, NAME being that of a description, in the frame of its link."""
    robot, _, number = name.rpartition("/")
    return read_parts(load_robot(robot).urdf.parent)[int(number)]


def check_robot(path: Path, fields: DescriptionFields) -> tuple[Element, Chain]:
    """The assembled URDF and the chain of a description at `path`, checked against it; raises RobotError."""
    tree = assemble(path, fields)
    chain = chain_of(tree, path, fields)
    robot = Robot(chain)
    _check(path, fields, robot)
    if fields.arm_force is None:
        _efforts(path, tree, robot)
    return tree, chain


@cache
def _load(path: Path) -> RobotDescription:
    fields = read_description(path)
    tree, chain = check_robot(path, fields)
    folder = made_folder(tree)
    parts, tones = read_index(folder)
    robot = Robot(chain)
    name = fields.name if path.parent == FOLDER else str(path)
    return RobotDescription(
        name=name,
        title=fields.title or fields.name,
        ships=path.parent == FOLDER,
        digest=hashlib.sha256(f"{folder.name} {fields.model_dump_json()}".encode()).hexdigest()[:16],
        robot=robot,
        urdf=folder / URDF_FILE,
        parts=tuple(Part(link, f"robot/{name}/{i}", tone) for i, (link, tone) in enumerate(parts)),
        tones=tuple(tones),
        home=frozen(robot.with_open_fingers(fields.home)),
        arm=robot.arm,
        fingers=robot.fingers,
        arm_spread_rad=frozen(fields.arm_spread_rad),
        opening=(fields.gripper.closed, fields.gripper.open),
        tips=fields.gripper.tips,
        reach_m=fields.reach_m,
        workspace_x_m=fields.workspace_x_m,
        workspace_y_m=fields.workspace_y_m,
        hover_height_m=fields.hover_height_m,
        camera_target_m=frozen(fields.camera_target_m),
        span_m=fields.span_m,
        clear_links=fields.clear_links,
        arm_force=frozen(fields.arm_force or _efforts(path, tree, robot)),
        finger_force=fields.gripper.force,
        overview=_keypoints(fields.keypoints.overview),
        close_up=_keypoints(fields.keypoints.close_up),
    )


def _keypoints(fields: tuple[KeypointFields, ...]) -> tuple[Keypoint, ...]:
    return tuple(Keypoint(one.name, one.places) for one in fields)


def _efforts(path: Path, tree: Element, robot: Robot) -> list[float]:
    limits = {joint.get("name"): joint.find("limit") for joint in tree.findall("joint")}
    efforts = []
    for name in (robot.joint_names[i] for i in robot.arm):
        limit = limits[name]
        text = "0" if limit is None else limit.get("effort", "0")
        (effort,) = checked(text, 1, f"{path}: joint {name} of its URDF: the effort of its limit")
        if not effort > 0:
            raise RobotError(f"{path}: joint {name} has no effort in its URDF: give `arm_force`, N m per joint.")
        efforts.append(effort)
    return efforts


def _check(path: Path, fields: DescriptionFields, robot: Robot) -> None:
    """What the YAML says of joints and links must fit those of the URDF."""
    arm = [robot.moving[i] for i in robot.arm]
    above_clamp = _above(robot, CLAMP)
    if held := above_clamp & set(fields.gripper.joints):
        raise RobotError(f"{path}: the clamp hangs on the gripper's joint {held.pop()}: fix it to the hand instead.")
    if stray := [joint.name for joint in arm if joint.name not in above_clamp]:
        raise RobotError(
            f"{path}: joint {stray[0]} moves, but the clamp does not hang on it: name it under `fixed`, `mimic` or "
            "gripper.joints, or its link under `drop`."
        )
    names = ", ".join(joint.name for joint in arm)
    for field, values in (
        ("home", fields.home),
        ("arm_spread_rad", fields.arm_spread_rad),
        ("arm_force", fields.arm_force),
    ):
        if values is not None and len(values) != len(arm):
            raise RobotError(
                f"{path}: {field} has {len(values)} values, but the arm has {len(arm)} joints ({names}): give one "
                "for each, and name joints that shall not move under `fixed`."
            )
    for joint, position in zip(arm, fields.home, strict=True):
        if not joint.lower <= position <= joint.upper:
            raise RobotError(
                f"{path}: home has {position:g} for joint {joint.name}, outside its limits {joint.lower:g} to "
                f"{joint.upper:g}: give a position within them."
            )
    for i in robot.fingers:
        joint = robot.moving[i]
        for field in ("closed", "open"):
            position = getattr(fields.gripper, field)
            if not joint.lower <= position <= joint.upper:
                raise RobotError(
                    f"{path}: gripper.{field} is {position:g}, outside the limits {joint.lower:g} to "
                    f"{joint.upper:g} of joint {joint.name}: give a position within them."
                )
    _check_links(path, "gripper.tips", (link for link, _ in fields.gripper.tips), robot)
    _check_fingers(path, fields, robot)
    _check_links(path, "clear_links", fields.clear_links, robot)
    for field in ("overview", "close_up"):
        places: Iterable[Place] = (place for one in getattr(fields.keypoints, field) for place in one.places)
        _check_links(path, f"keypoints.{field}", (link for link, _ in places), robot)


def _check_fingers(path: Path, fields: DescriptionFields, robot: Robot) -> None:
    """Both tips must move with the gripper's joints, and be farther apart when it is open."""
    moving = set(fields.gripper.joints)
    for joint in robot.mimics:
        if joint.mimic is not None and joint.mimic.joint in fields.gripper.joints:
            if joint.mimic.multiplier == 0:
                raise RobotError(f"{path}: joint {joint.name} follows the gripper by 0: name it under `fixed`.")
            moving.add(joint.name)
    for link, _ in fields.gripper.tips:
        if not _above(robot, link) & moving:
            raise RobotError(
                f"{path}: gripper.tips: none of the joints {', '.join(sorted(moving))} moves the link {link}: give "
                "the links of the two fingers, or couple the joint that moves this one under `mimic`."
            )
    joints = robot.with_open_fingers(fields.home)
    apart_open = robot.opening_m(joints)
    joints[list(robot.fingers)] = fields.gripper.closed
    apart_closed = robot.opening_m(joints)
    if apart_open - apart_closed < LEAST_STROKE_M:
        raise RobotError(
            f"{path}: gripper.tips are {1000 * apart_closed:.0f} mm apart closed and {1000 * apart_open:.0f} mm open "
            "along the clamp's x axis: give one tip on each finger, and correct gripper.closed and gripper.open."
        )


def _check_links(path: Path, field: str, links: Iterable[str], robot: Robot) -> None:
    for link in links:
        if link not in robot.links:
            raise RobotError(f"{path}: {field}: there is no link {link}; the links are {', '.join(robot.links)}.")


def _above(robot: Robot, link: str) -> set[str]:
    """Names of the joints between the base and a link."""
    by_child = {joint.child: joint for joint in robot.chain.joints}
    names = set()
    while link in by_child:
        names.add(by_child[link].name)
        link = by_child[link].parent
    return names
