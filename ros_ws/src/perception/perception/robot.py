"""Forward kinematics of a robot arm with a parallel gripper, from a chain of joints in robots/NAME.yaml."""

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from perception.bounded_files import read_bounded
from perception.errors import JointStateError, RobotError, reason
from perception.small_yaml import MOST_BYTES, parse_yaml

Array = NDArray[np.float64]
LIMIT_TOLERANCE = 0.02  # rad or m: encoders and simulators overshoot a limit a little
CHAIN_FILE = "chain.yaml"
MOST_JOINTS = 256

Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200)]
"""A name that can stand in a sentence."""
Number = Annotated[float, Field(ge=-1e4, le=1e4)]
Vector = tuple[Number, Number, Number]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Mimic(_Strict):
    """A joint that a mechanism couples to another one: its position is multiplier * position of `joint` + offset."""

    joint: Label
    multiplier: Number = 1.0
    offset: Number = 0.0


class Joint(_Strict):
    """One joint: its frame in the parent link (m, fixed-axis roll pitch yaw in rad), axis and limits (rad or
    m)."""

    name: Label
    type: Literal["revolute", "prismatic", "fixed"]
    parent: Label
    child: Label
    xyz: Vector
    rpy: Vector
    axis: Vector = (0.0, 0.0, 1.0)
    lower: Number = 0.0
    upper: Number = 0.0
    mimic: Mimic | None = None

    def origin(self) -> Array:
        """(4, 4) pose of the joint frame in the parent link."""
        return pose_of(self.xyz, self.rpy)


class Gripper(_Strict):
    """The joints that move the fingers, the position (m or rad) of each when they are closed and open, and the middle
    of each finger's gripping face at its tip: (link, xyz in that link, m)."""

    joints: tuple[Label, ...] = Field(min_length=1, max_length=MOST_JOINTS)
    closed: Number
    open: Number
    tips: tuple[tuple[Label, Vector], tuple[Label, Vector]]


class Chain(_Strict):
    """A robot's joints in an order where every parent comes before its children. One of the links is `clamp`."""

    name: Label
    base: Label
    gripper: Gripper
    joints: tuple[Joint, ...] = Field(max_length=MOST_JOINTS)

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        links, moving = {self.base}, set[str]()
        for joint in self.joints:
            if joint.parent not in links:
                raise ValueError(f"joint {joint.name} hangs on {joint.parent}, which comes before it nowhere")
            if joint.child in links:
                raise ValueError(f"link {joint.child} is there twice")
            links.add(joint.child)
            if joint.type != "fixed" and joint.mimic is None:
                moving.add(joint.name)
        for joint in self.joints:
            if joint.mimic is not None and joint.mimic.joint not in moving:
                raise ValueError(f"joint {joint.name} mimics {joint.mimic.joint}, which does not move by itself")
        if missing := [name for name in self.gripper.joints if name not in moving]:
            raise ValueError(f"the gripper's joint {missing[0]} is not among the joints that move by themselves")
        for link in ("clamp", *(link for link, _ in self.gripper.tips)):
            if link not in links:
                raise ValueError(f"there is no link {link}")
        return self


class Robot:
    """Poses of a robot's links in its base frame for given joint positions.

    Positions (J,) are those of `moving`: joints that neither are fixed nor mimic another one, in rad and m.
    """

    def __init__(self, chain: Chain) -> None:
        self.name = chain.name
        self.base = chain.base
        self.chain = chain
        self.gripper = chain.gripper
        self.moving = tuple(joint for joint in chain.joints if joint.type != "fixed" and joint.mimic is None)
        self.joint_names = tuple(joint.name for joint in self.moving)
        self.fingers = tuple(self.joint_names.index(name) for name in chain.gripper.joints)
        self.arm = tuple(i for i in range(len(self.moving)) if i not in self.fingers)
        self.mimics = tuple(joint for joint in chain.joints if joint.mimic is not None)
        self.links = (chain.base, *(joint.child for joint in chain.joints))
        self._origins = np.array([joint.origin() for joint in chain.joints])
        self._motions = np.array([_basis(joint) for joint in chain.joints])
        self._parents = [self.links.index(joint.parent) for joint in chain.joints]
        self._source, self._multiplier, self._offset = self._sources()

    @classmethod
    def load(cls, name: str | os.PathLike[str] = "panda") -> Self:
        """The robot of perception/robots/NAME.yaml, or that of a chain file or a folder with a chain.yaml.

        Raises RobotError, which is a ValueError, for an unknown name and for a file that cannot be used.
        """
        return cls(read_chain(str(name)))

    def check(self, joints: ArrayLike) -> Array:
        """The positions as (J,) float64; raises JointStateError unless they are that many, finite, within
        limits."""
        positions = np.asarray(joints, dtype=np.float64).reshape(-1)
        if positions.size != len(self.moving):
            raise JointStateError(
                f"{positions.size} joint positions were given, but {self.name} has {len(self.moving)}: "
                f"give {', '.join(self.joint_names)}.",
                "count",
            )
        for joint, value in zip(self.moving, positions, strict=True):
            unit = "rad" if joint.type == "revolute" else "m"
            if not np.isfinite(value):
                raise JointStateError(
                    f"the position of joint {joint.name} is {value}: give a finite number in {unit}.",
                    "not finite",
                )
            if not joint.lower - LIMIT_TOLERANCE <= value <= joint.upper + LIMIT_TOLERANCE:
                raise JointStateError(
                    f"the position of joint {joint.name} is {value:.4g} {unit}, outside its limits "
                    f"{joint.lower:.4g} to {joint.upper:.4g}: give joint positions of {self.name} in {unit}.",
                    "outside limits",
                )
        return positions

    def order(self, names: Sequence[str], positions: Sequence[float]) -> Array:
        """Named positions, in any order and with others among them, as checked (J,) in the order of
        joint_names."""
        if len(names) != len(positions):
            raise JointStateError(
                f"the joint state has {len(names)} names but {len(positions)} positions: publish as many.",
                "count",
            )
        by_name = dict(zip(names, positions, strict=True))
        missing = [name for name in self.joint_names if name not in by_name]
        if missing:
            raise JointStateError(
                f"the joint state has no position for {', '.join(missing)}: publish all joints.", "missing joints"
            )
        return self.check([by_name[name] for name in self.joint_names])

    def with_open_fingers(self, arm: ArrayLike) -> Array:
        """Positions (A,) of the arm's joints, completed to (J,) with the gripper fully open."""
        positions = np.full(len(self.moving), self.gripper.open)
        positions[list(self.arm)] = np.asarray(arm, dtype=np.float64).reshape(-1)
        return positions

    def link_poses(self, joints: ArrayLike) -> dict[str, Array]:
        """T_base_link (4, 4) of every link, for positions (J,)."""
        given = np.asarray(joints, dtype=np.float64)
        if given.shape != (len(self.moving),):
            raise ValueError(f"{self.name} takes {len(self.moving)} joint positions, not {given.shape}")
        values = np.append(given, 0.0)[self._source] * self._multiplier + self._offset
        terms = np.stack([np.sin(values), 1.0 - np.cos(values), values], axis=1)
        steps = self._origins + (terms[:, None, :] @ self._motions)[:, 0].reshape(-1, 4, 4)
        poses = [np.eye(4)]
        for parent, step in zip(self._parents, steps, strict=True):
            poses.append(poses[parent] @ step)
        return dict(zip(self.links, poses, strict=True))

    def link_pose(self, joints: ArrayLike, link: str) -> Array:
        """T_base_link (4, 4); raises ValueError for an unknown link."""
        self._require(link)
        return self.link_poses(joints)[link]

    def points(self, joints: ArrayLike, points: Iterable[tuple[str, Sequence[float]]]) -> Array:
        """Base-frame positions (N, 3) of points given as (link, xyz_m in that link)."""
        poses = self.link_poses(joints)
        placed = []
        for link, xyz in points:
            self._require(link)
            placed.append(poses[link][:3, :3] @ np.asarray(xyz, dtype=np.float64) + poses[link][:3, 3])
        return np.array(placed).reshape(-1, 3)

    def clamp_pose(self, joints: ArrayLike) -> Array:
        """T_base_clamp (4, 4): origin between the finger tips, x the closing direction, z out of the hand."""
        return self.link_pose(joints, "clamp")

    def opening_m(self, joints: ArrayLike) -> float:
        """Distance between the finger tips along the closing direction, for positions (J,)."""
        first, second = self.points(joints, self.gripper.tips)
        return abs(float((second - first) @ self.clamp_pose(joints)[:3, 0]))

    def _require(self, link: str) -> None:
        if link not in self.links:
            raise ValueError(f"{self.name} has no link {link!r}; it has {', '.join(self.links)}")

    def _sources(self) -> tuple[NDArray[np.intp], Array, Array]:
        """Per joint of the chain: which of (q_1, ..., q_J, 0) moves it, times what, plus what."""
        source, multiplier, offset = [], [], []
        for joint in self.chain.joints:
            mimic = joint.mimic or Mimic(joint=joint.name)
            still = joint.type == "fixed"
            source.append(len(self.moving) if still else self.joint_names.index(mimic.joint))
            multiplier.append(mimic.multiplier)
            offset.append(0.0 if still else mimic.offset)
        return np.array(source, dtype=np.intp), np.array(multiplier), np.array(offset)


def pose_of(xyz: Sequence[float], rpy: Sequence[float]) -> Array:
    """(4, 4) of a translation and of roll, pitch, yaw about fixed axes, as in URDF."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    pose = np.eye(4)
    pose[:3, :3] = (
        (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
        (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
        (-sp, cp * sr, cp * cr),
    )
    pose[:3, 3] = xyz
    return pose


def read_chain(name: str) -> Chain:
    """The chain of a name, of a file, or of a folder with a chain.yaml; raises RobotError as `Robot.load`."""
    folder = Path(__file__).parent / "robots"
    path = folder / f"{name}.yaml"
    if os.sep in name or name.endswith(".yaml") or (not path.is_file() and Path(name).is_dir()):
        path = Path(name) / CHAIN_FILE if Path(name).is_dir() else Path(name)
    elif not path.is_file():
        known = ", ".join(known_robots())
        raise RobotError(
            f"there is no robot named {name!r} (known: {known}): give one of these, or the folder that "
            "`blockworld robot import` wrote for yours."
        )
    return _read(path)


def known_robots() -> list[str]:
    """Names of the robots that come with this package, sorted."""
    return sorted(entry.stem for entry in (Path(__file__).parent / "robots").glob("*.yaml"))


def _basis(joint: Joint) -> Array:
    """(3, 16): what sin(q), 1 - cos(q) and q add to the joint's origin (4, 4), by Rodrigues' formula."""
    origin, basis = joint.origin(), np.zeros((3, 4, 4))
    if joint.type == "prismatic":
        basis[2, :3, 3] = origin[:3, :3] @ np.asarray(joint.axis)
    elif joint.type == "revolute":
        x, y, z = joint.axis
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        basis[0, :3, :3] = origin[:3, :3] @ cross
        basis[1, :3, :3] = origin[:3, :3] @ cross @ cross
    return basis.reshape(3, 16)


def parse_chain(content: bytes, path: Path) -> Chain:
    """The chain in a YAML document that was read from `path`; raises RobotError as `Robot.load`."""
    try:
        values = parse_yaml(content)
    except ValueError as error:
        raise RobotError(f"{path} cannot be read ({reason(error)}): give a chain of joints or its folder.") from None
    try:
        return Chain.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = reason(".".join(str(part) for part in first["loc"])) if first["loc"] else "the chain"
        raise RobotError(f"{path} is wrong at {place} ({reason(first['msg'])}): import the robot again.") from None


@cache
def _read(path: Path) -> Chain:
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise RobotError(f"{path} cannot be read ({reason(error)}): give a chain of joints or its folder.") from None
    return parse_chain(content, path)
