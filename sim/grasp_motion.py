"""Straight motions of the clamp for grasp trials: joint paths by inverse kinematics, and their timing."""

import numpy as np

from sim.grasps import Grasp
from sim.inverse_kinematics import solve
from sim.robots import RobotDescription

LINE_STEP_M = 0.01
LARGEST_JUMP_RAD = 0.35  # between two points of a line; more is another family of postures
WRIST_STARTS_RAD = (0.0, np.pi / 2, -np.pi / 2, np.pi)
RAMP_S = 0.1


def find_lines(
    description: RobotDescription, grasp: Grasp, approach_m: float, lift_m: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Joint paths (N, J) to the grasp along the clamp's z axis, and (M, J) up from it; None where there are none.

    Fingers are as open as the grasp says in both. Of the two ways that the clamp can be turned, the one that takes
    the arm less far from home.
    """
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for turned in (grasp, grasp.half_turned()):
        for wrist in WRIST_STARTS_RAD:
            joints = solve(description.robot, turned.T_base_clamp, _start(description, turned, wrist))
            if joints is None:
                continue
            cost = float(np.abs(joints - description.home)[list(description.arm)][1:].max())
            if best is not None and cost >= best[0]:
                continue
            back = straight(description, joints, turned.T_base_clamp, -approach_m * turned.T_base_clamp[:3, 2])
            up = straight(description, joints, turned.T_base_clamp, np.array([0.0, 0.0, lift_m]))
            if back is not None and up is not None:
                best = cost, back[::-1], up
    return None if best is None else best[1:]


def straight(
    description: RobotDescription, joints: np.ndarray, clamp: np.ndarray, way_m: np.ndarray
) -> np.ndarray | None:
    """A path (N, J) that moves the clamp from its pose (4, 4) at `joints` by way_m (3,); None where there is none."""
    count = max(1, int(np.ceil(np.linalg.norm(way_m) / LINE_STEP_M)))
    path = [joints]
    for share in np.arange(1, count + 1) / count:
        target = clamp.copy()
        target[:3, 3] += share * way_m
        solved = solve(description.robot, target, path[-1])
        if solved is None or np.abs(solved - path[-1]).max() > LARGEST_JUMP_RAD:
            return None
        path.append(solved)
    return np.array(path)


def timed(path: np.ndarray, length_m: float, speed_m_s: float, step_s: float) -> np.ndarray:
    """The path (N, J), whose points are evenly apart, every step_s (T, J): speed_m_s, with short ramps at both ends."""
    duration = length_m / speed_m_s + RAMP_S
    times = np.arange(1, int(np.ceil(duration / step_s)) + 1) * step_s
    ramp = np.minimum(times, RAMP_S)
    start = ramp**2 / (2 * RAMP_S) + np.maximum(times - RAMP_S, 0)
    left = np.maximum(duration - times, 0)
    way = np.where(left < RAMP_S, duration - RAMP_S - left**2 / (2 * RAMP_S), start)
    share = np.clip(way / (duration - RAMP_S), 0, 1) * (len(path) - 1)
    return np.stack([np.interp(share, np.arange(len(path)), joint) for joint in path.T], axis=1)


def shaken(
    description: RobotDescription, joints: np.ndarray, axis: np.ndarray, amplitude_m: float, hertz: float, periods: int,
    step_s: float,
) -> np.ndarray:
    """Joint positions (T, J) that move the clamp to and fro along axis (3,) of base about where it is.

    To first order in the amplitude; the amplitude swells over the first period and fades over the last, so that
    speeds are continuous.
    """
    step = 1e-4
    base = description.robot.clamp_pose(joints)
    columns = []
    for joint in description.arm:
        moved = joints.copy()
        moved[joint] += step
        pose = description.robot.clamp_pose(moved)
        turn = pose[:3, :3] @ base[:3, :3].T
        vector = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
        columns.append(np.concatenate([pose[:3, 3] - base[:3, 3], vector]) / step)
    way = np.linalg.lstsq(np.array(columns).T, np.concatenate([axis, np.zeros(3)]), rcond=None)[0]
    times = np.arange(1, int(np.ceil(periods / hertz / step_s)) + 1) * step_s
    phase = np.minimum(times * hertz, periods)
    swell = np.minimum(np.minimum(phase, periods - phase), 1.0)
    path = np.tile(joints, (len(times), 1))
    path[:, list(description.arm)] += np.outer(amplitude_m * swell * np.sin(2 * np.pi * phase), way)
    return path


def _start(description: RobotDescription, grasp: Grasp, wrist_rad: float) -> np.ndarray:
    """A posture about home that faces the grasp, its last joint turned by wrist_rad."""
    joints = description.home.copy()
    joints[list(description.fingers)] = description.finger_at(grasp.opening_m)
    first, last = description.arm[0], description.arm[-1]
    joints[first] += np.arctan2(grasp.position_m[1], grasp.position_m[0])
    joints[last] += wrist_rad
    return np.clip(joints, description.lower, description.upper)
