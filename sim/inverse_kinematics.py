"""Joint positions that bring the clamp to a pose, by damped least squares (Wampler, IEEE SMC 1986)."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from perception.robot import Robot
from sim.robots import RobotDescription

DAMPING = 0.02  # m and rad; keeps steps small near singular postures
LIGHT_DAMPING = 0.004  # close to the target, where the damping would only slow the last steps
CLOSE = 0.05  # m and rad
TOLERANCE_M = 2e-4
TOLERANCE_RAD = 1e-3
LARGEST_STEP = 0.5  # rad and m
PATIENCE = 8  # steps in which the error must shrink to less than PROGRESS of what it was, or the solver gives up
PROGRESS = 0.5


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
    """Positions (J,) whose clamp pose is `target` (4, 4), near `start` (J,), or None where none was found.

    The gripper stays as in `start`; every answer is within the joint limits and the tolerances above.
    """
    way = _way_to_clamp(robot)
    joints = np.array(start, dtype=float)
    positions = np.clip(joints[way.arm], way.lower, way.upper)
    error, before = np.empty(6), np.inf
    for iteration in range(iterations):
        clamp, jacobian = way.differentiate(positions)
        error[:3] = target[:3, 3] - clamp[:3, 3]
        error[3:] = rotation_vector(target[:3, :3] @ clamp[:3, :3].T)
        squares = error * error
        offset, turn = squares[:3].sum(), squares[3:].sum()
        if offset < TOLERANCE_M**2 and turn < TOLERANCE_RAD**2:
            joints[way.arm] = positions
            return joints
        if iteration % PATIENCE == PATIENCE - 1:
            if offset + turn > PROGRESS**2 * before:
                return None
            before = offset + turn
        damping = LIGHT_DAMPING if offset + turn < CLOSE**2 else DAMPING
        normal = jacobian @ jacobian.T
        normal.flat[::7] += damping**2
        step = jacobian.T @ np.linalg.solve(normal, error)
        step *= min(1.0, LARGEST_STEP / max(np.abs(step).max(), 1e-9))
        positions = np.minimum(np.maximum(positions + step, way.lower), way.upper)
    return None


def facing(description: RobotDescription, position_m: ArrayLike, yaw_rad: float | None = None) -> np.ndarray:
    """Positions (J,): home, turned by its first joint towards a place in base and, with a yaw, by its last one.

    What `solve` does best from: its answer then is of home's family of postures, elbow up. A joint whose axis is not
    upright stays.
    """
    robot, joints = description.robot, description.home.copy()
    first, last = description.arm[0], description.arm[-1]
    place = np.asarray(position_m, dtype=float)
    clamp = robot.clamp_pose(joints)
    turn = np.arctan2(place[1], place[0]) - np.arctan2(clamp[1, 3], clamp[0, 3])
    _turn_upright_joint(robot, joints, first, turn)
    if yaw_rad is not None:
        clamp = robot.clamp_pose(joints)
        _turn_upright_joint(robot, joints, last, yaw_rad - float(np.arctan2(clamp[1, 0], clamp[0, 0])))
    return joints


def rotation_vector(R: np.ndarray) -> np.ndarray:
    """(3,) axis times angle, in [0, pi], of a rotation (3, 3)."""
    ((xx, xy, xz), (yx, yy, yz), (zx, zy, zz)) = R.tolist()
    axis = np.array((zy - yz, xz - zx, yx - xy)) / 2  # sin(angle) along the axis
    sin, cos = float(np.sqrt(axis @ axis)), (xx + yy + zz - 1) / 2
    if sin > 1e-6:
        return axis * (np.arctan2(sin, cos) / sin)
    if cos > 0:
        return axis
    # Half a turn: R = 2 a a^T - 1, so the column of the largest diagonal entry is along the axis a.
    column = R[:, int(np.argmax((xx, yy, zz)))] + np.eye(3)[int(np.argmax((xx, yy, zz)))]
    return np.pi * column / np.linalg.norm(column)


class _WayToClamp:
    """The joints between base and clamp, fixed ones merged into the frames of those that move."""

    def __init__(self, robot: Robot) -> None:
        by_child = {joint.child: joint for joint in robot.chain.joints}
        link, chain = "clamp", []
        while link != robot.base:
            chain.append(by_child[link])
            link = by_child[link].parent
        names = [robot.joint_names[i] for i in robot.arm]
        self.arm = list(robot.arm)
        self.lower = np.array([robot.moving[i].lower for i in robot.arm])
        self.upper = np.array([robot.moving[i].upper for i in robot.arm])
        frames, axes, sliding, share, offset = [], [], [], [], []
        frame = np.eye(4)
        for joint in reversed(chain):
            frame = frame @ joint.origin()
            if joint.type == "fixed":
                continue
            source, factor, constant = (
                (joint.name, 1.0, 0.0)
                if joint.mimic is None
                else (joint.mimic.joint, joint.mimic.multiplier, joint.mimic.offset)
            )
            frames.append(frame)
            axes.append(joint.axis)
            sliding.append(joint.type == "prismatic")
            share.append([factor * (name == source) for name in names])
            offset.append(constant)
            frame = np.eye(4)
        self._last = frame
        self._frames, self._axes = np.array(frames), np.array(axes)[:, :, None]
        self._sliding = np.array(sliding)
        self._share, self._offset = np.array(share), np.array(offset)
        self._plain = bool(np.array_equal(self._share, np.eye(len(names)))) and not any(offset)
        x, y, z = self._axes[:, :, 0].T
        cross = np.zeros((len(frames), 3, 3))
        cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -z, y, -x
        cross -= cross.transpose(0, 2, 1)
        turning = ~self._sliding[:, None, None]
        rotations = self._frames[:, :3, :3]
        self._sine, self._versine = np.zeros_like(self._frames), np.zeros_like(self._frames)
        self._sine[:, :3, :3] = turning * (rotations @ cross)
        self._versine[:, :3, :3] = turning * (rotations @ cross @ cross)
        self._slide = np.zeros_like(self._frames)
        self._slide[:, :3, 3:] = ~turning * (rotations @ self._axes)
        self._slides = bool(self._sliding.any())

    def differentiate(self, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """T_base_clamp (4, 4), and the clamp's velocity and turning rate (6, A) per unit of each joint's speed."""
        values = arm if self._plain else self._share @ arm + self._offset
        sine, versine = np.sin(values)[:, None, None], (1.0 - np.cos(values))[:, None, None]
        steps = self._frames + sine * self._sine + versine * self._versine
        if self._slides:
            steps += values[:, None, None] * self._slide
        poses = np.empty_like(steps)
        pose = poses[0] = steps[0]
        for i in range(1, len(steps)):
            pose = poses[i] = pose.dot(steps[i])
        clamp = pose.dot(self._last)
        jacobian = np.empty((6, len(steps)))
        axes = (poses[:, :3, :3] @ self._axes)[:, :, 0].T
        x, y, z = axes
        u, v, w = clamp[:3, 3, None] - poses[:, :3, 3].T
        jacobian[0], jacobian[1], jacobian[2] = y * w - z * v, z * u - x * w, x * v - y * u
        jacobian[3:] = axes
        if self._slides:
            jacobian[:3, self._sliding], jacobian[3:, self._sliding] = axes[:, self._sliding], 0.0
        return clamp, jacobian if self._plain else jacobian @ self._share


@lru_cache(maxsize=16)
def _way_to_clamp(robot: Robot) -> _WayToClamp:
    return _WayToClamp(robot)


def _turn_upright_joint(robot: Robot, joints: np.ndarray, index: int, turn: float) -> None:
    """Turn what hangs on a joint by `turn` about the vertical, or half a turn from that at the joint's limits."""
    joint = robot.moving[index]
    upright = float((robot.link_poses(joints)[joint.child][:3, :3] @ joint.axis)[2])
    if joint.type != "revolute" or abs(upright) < 0.9:
        return
    least = (np.sign(upright) * turn + np.pi) % (2 * np.pi) - np.pi
    for change in (least, least - np.copysign(2 * np.pi, least), least - np.copysign(np.pi, least)):
        if joint.lower < joints[index] + change < joint.upper:
            joints[index] += change
            return
