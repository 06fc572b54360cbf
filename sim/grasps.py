"""Grasps: where the clamp closes, and how wide open it comes."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from sim.inverse_kinematics import hover_pose
from sim.meshes import load_mesh
from sim.robots import RobotDescription
from sim.scene import Block

CLEARANCE_M = 0.006  # between finger tips and what the block lies on
RIGID = 1e-6


@dataclass(frozen=True, eq=False)
class Grasp:
    """T_base_clamp (4, 4) at which the fingers close, and the distance between the finger tips on the way there, m.

    Raises ValueError for what is no pose and for an opening that is not positive.
    """

    T_base_clamp: np.ndarray
    opening_m: float

    def __post_init__(self) -> None:
        pose = np.asarray(self.T_base_clamp, dtype=float)
        if pose.shape != (4, 4) or not np.isfinite(pose).all():
            raise ValueError("the grasp's pose must be a matrix (4, 4) of finite numbers.")
        turn = pose[:3, :3]
        if np.abs(turn @ turn.T - np.eye(3)).max() > RIGID or np.linalg.det(turn) < 0:
            raise ValueError("the grasp's pose turns by no rotation: its columns must be unit axes, right-handed.")
        if not (np.isfinite(self.opening_m) and self.opening_m > 0):
            raise ValueError(f"the grasp's opening is {self.opening_m} m: give a positive one.")
        object.__setattr__(self, "T_base_clamp", pose)

    @classmethod
    def down(cls, position_m: ArrayLike, yaw_rad: float, opening_m: float) -> Self:
        """The clamp at position_m (3,) in base, pointing straight down, closing along yaw_rad."""
        return cls(hover_pose(position_m, yaw_rad), opening_m)

    @property
    def position_m(self) -> np.ndarray:
        """(3,) in base."""
        return self.T_base_clamp[:3, 3]

    def disturbed(self, offset_m: ArrayLike = (0.0, 0.0, 0.0), turn_rad: float = 0.0) -> "Grasp":
        """The same grasp moved by offset_m (3,) along the base's axes and turned by turn_rad about its z axis."""
        cos, sin = np.cos(turn_rad), np.sin(turn_rad)
        pose = self.T_base_clamp.copy()
        pose[:3, :3] = np.array([(cos, -sin, 0), (sin, cos, 0), (0, 0, 1)]) @ pose[:3, :3]
        pose[:3, 3] += offset_m
        return replace(self, T_base_clamp=pose)

    def half_turned(self) -> "Grasp":
        """The same grasp with the fingers' places exchanged."""
        pose = self.T_base_clamp.copy()
        pose[:3, :2] *= -1
        return replace(self, T_base_clamp=pose)


def grasp_of(block: Block, description: RobotDescription) -> Grasp:
    """The grasp from above across the middle of a block, as the gripper of that robot is open.

    The clamp is at the block's middle, higher where its finger tips would come too near to what the block lies on.
    """
    pose = block.T_base_block
    middle = pose[:3, 3] + block.size_m[2] / 2 * pose[:3, 2]
    across = pose[:3, 1]
    least = pose[2, 3] + finger_depth_m(description) + CLEARANCE_M
    position = (middle[0], middle[1], max(middle[2], least))
    return Grasp.down(position, float(np.arctan2(across[1], across[0])), description.opening_m)


@lru_cache(maxsize=32)
def finger_depth_m(description: RobotDescription) -> float:
    """How far the fingers reach beyond the clamp's origin along its z axis, m, the most over all openings."""
    deepest = 0.0
    for share in np.linspace(0, 1, 5):
        joints = description.home.copy()
        closed, opened = description.opening
        joints[list(description.fingers)] = closed + share * (opened - closed)
        poses = description.robot.link_poses(joints)
        to_clamp = np.linalg.inv(poses["clamp"])
        for part in description.parts:
            if part.link in description.finger_links:
                vertices = load_mesh(part.mesh).vertices
                local = to_clamp @ poses[part.link]
                deepest = max(deepest, float((vertices @ local[2, :3]).max() + local[2, 3]))
    return deepest
