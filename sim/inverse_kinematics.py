"""Joint positions that bring the clamp to a pose, by damped least squares (Wampler, IEEE SMC 1986)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from perception.robot import Robot

DAMPING = 0.02
TOLERANCE_M = 2e-4
TOLERANCE_RAD = 1e-3


def hover_pose(position_m: ArrayLike, yaw_rad: float) -> np.ndarray:
    """T_base_clamp (4, 4) of a clamp that points straight down with its closing direction at yaw_rad."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    pose = np.eye(4)
    pose[:3, 0] = (cos, sin, 0)
    pose[:3, 1] = (sin, -cos, 0)
    pose[:3, 2] = (0, 0, -1)
    pose[:3, 3] = position_m
    return pose


def solve(robot: Robot, target: np.ndarray, start: np.ndarray, iterations: int = 60) -> np.ndarray | None:
    """Positions (9,) whose clamp pose is `target` (4, 4), near `start` (9,), or None where none was found.

    Fingers stay as in `start`; every answer is within the joint limits and the tolerances above.
    """
    arm = [joint for joint in robot.moving if joint.type == "revolute"]
    lower, upper = (np.array([getattr(joint, side) for joint in arm]) for side in ("lower", "upper"))
    joints = np.array(start, dtype=float)
    count = len(arm)
    for _ in range(iterations):
        poses = robot.link_poses(joints)
        clamp = poses["clamp"]
        offset = target[:3, 3] - clamp[:3, 3]
        turn = Rotation.from_matrix(target[:3, :3] @ clamp[:3, :3].T).as_rotvec()
        if np.linalg.norm(offset) < TOLERANCE_M and np.linalg.norm(turn) < TOLERANCE_RAD:
            return joints
        axes = np.array([poses[joint.child][:3, :3] @ joint.axis for joint in arm])
        arms = clamp[:3, 3] - np.array([poses[joint.child][:3, 3] for joint in arm])
        jacobian = np.concatenate([np.cross(axes, arms), axes], axis=1).T
        error = np.concatenate([offset, turn])
        step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + DAMPING**2 * np.eye(6), error)
        step *= min(1.0, 0.5 / max(np.abs(step).max(), 1e-9))
        joints[:count] = np.clip(joints[:count] + step, lower, upper)
    return None
