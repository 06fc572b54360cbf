"""Forward kinematics of a robot arm with a parallel gripper, from a chain of joints in robots/NAME.yaml."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Self

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict
from scipy.spatial.transform import Rotation

from perception.errors import JointStateError

Array = NDArray[np.float64]
LIMIT_TOLERANCE = 0.02  # rad or m: encoders and simulators overshoot a limit a little

Vector = tuple[float, float, float]


class Joint(BaseModel):
    """One joint: its frame in the parent link (m, fixed-axis roll pitch yaw in rad), axis and limits (rad or
    m)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: Literal["revolute", "prismatic", "fixed"]
    parent: str
    child: str
    xyz: Vector
    rpy: Vector
    axis: Vector = (0.0, 0.0, 1.0)
    lower: float = 0.0
    upper: float = 0.0

    def origin(self) -> Array:
        """(4, 4) pose of the joint frame in the parent link."""
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_euler("xyz", self.rpy).as_matrix()
        pose[:3, 3] = self.xyz
        return pose


class Chain(BaseModel):
    """A robot's joints in an order where every parent comes before its children."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    base: str
    open_finger_m: float
    joints: tuple[Joint, ...]


class Robot:
    """Poses of a robot's links in its base frame for given joint positions."""

    def __init__(self, chain: Chain) -> None:
        self.name = chain.name
        self.base = chain.base
        self.open_finger_m = chain.open_finger_m
        self.moving = tuple(joint for joint in chain.joints if joint.type != "fixed")
        self.joint_names = tuple(joint.name for joint in self.moving)
        self.links = (chain.base, *(joint.child for joint in chain.joints))
        self._steps = [(joint, joint.origin()) for joint in chain.joints]

    @classmethod
    def load(cls, name: str = "panda") -> Self:
        """The robot of perception/robots/NAME.yaml; raises ValueError for an unknown name."""
        return cls(_read_chain(name))

    def check(self, joints: ArrayLike) -> Array:
        """The positions as (9,) float64; raises JointStateError unless they are that many, finite, within
        limits."""
        positions = np.asarray(joints, dtype=np.float64).reshape(-1)
        if positions.size != len(self.moving):
            raise JointStateError(
                f"{positions.size} joint positions were given, but {self.name} has {len(self.moving)}: "
                f"give {', '.join(self.joint_names)}."
            )
        for joint, value in zip(self.moving, positions, strict=True):
            unit = "rad" if joint.type == "revolute" else "m"
            if not np.isfinite(value):
                raise JointStateError(
                    f"the position of joint {joint.name} is {value}: give a finite number in {unit}."
                )
            if not joint.lower - LIMIT_TOLERANCE <= value <= joint.upper + LIMIT_TOLERANCE:
                raise JointStateError(
                    f"the position of joint {joint.name} is {value:.4g} {unit}, outside its limits "
                    f"{joint.lower:.4g} to {joint.upper:.4g}: give joint positions of {self.name} in {unit}."
                )
        return positions

    def order(self, names: Sequence[str], positions: Sequence[float]) -> Array:
        """Named positions, in any order and with others among them, as checked (9,) in the order of
        joint_names."""
        if len(names) != len(positions):
            raise JointStateError(
                f"the joint state has {len(names)} names but {len(positions)} positions: publish as many."
            )
        by_name = dict(zip(names, positions, strict=True))
        missing = [name for name in self.joint_names if name not in by_name]
        if missing:
            raise JointStateError(
                f"the joint state has no position for {', '.join(missing)}: publish all joints."
            )
        return self.check([by_name[name] for name in self.joint_names])

    def with_open_fingers(self, arm: ArrayLike) -> Array:
        """Positions (7,) of the revolute joints, completed to (9,) with the gripper fully open."""
        values = iter(np.asarray(arm, dtype=np.float64).reshape(-1))
        return np.array(
            [next(values) if joint.type == "revolute" else self.open_finger_m for joint in self.moving]
        )

    def link_poses(self, joints: ArrayLike) -> dict[str, Array]:
        """T_base_link (4, 4) of every link, for positions (9,)."""
        positions = dict(zip(self.joint_names, np.asarray(joints, dtype=np.float64), strict=True))
        poses = {self.base: np.eye(4)}
        for joint, origin in self._steps:
            pose = poses[joint.parent] @ origin
            if joint.type != "fixed":
                pose = pose @ _motion(joint, positions[joint.name])
            poses[joint.child] = pose
        return poses

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

    def _require(self, link: str) -> None:
        if link not in self.links:
            raise ValueError(f"{self.name} has no link {link!r}; it has {', '.join(self.links)}")


def _motion(joint: Joint, value: float) -> Array:
    """(4, 4) motion of a revolute or prismatic joint by value (rad or m) along its unit axis."""
    pose = np.eye(4)
    if joint.type == "prismatic":
        pose[:3, 3] = value * np.asarray(joint.axis)
    else:
        x, y, z = joint.axis  # Rodrigues' formula, written out: scipy's Rotation is 20 times slower per call
        cos, sin = np.cos(value), np.sin(value)
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        pose[:3, :3] = np.eye(3) + sin * cross + (1.0 - cos) * (cross @ cross)
    return pose


@cache
def _read_chain(name: str) -> Chain:
    folder = Path(__file__).parent / "robots"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(entry.stem for entry in folder.glob("*.yaml"))
        raise ValueError(f"no robot named {name!r}; known: {', '.join(known)}")
    return Chain.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
