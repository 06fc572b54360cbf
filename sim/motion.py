"""How the arm gets somewhere: joint paths with the clamp pointing down, and how fast it follows them.

A path is an array (N, A) of arm positions, straight in joint space between its points. Near targets are
approached along a straight line of the clamp, far ones from above, clear of what stands around.
"""

from itertools import pairwise

import numpy as np

from sim.inverse_kinematics import facing, hover_pose, solve
from sim.robots import RobotDescription

NEAR_M = 0.08  # up to this far to the side, the clamp moves along a straight line
TRAVEL_M = 0.14  # least height of the clamp on far ways: the tallest block and the finger tips fit below
CLEARANCE_M = 0.09  # least height of hand and clamp between the ends of a far way
LINE_STEP_M = 0.01
LINE_STEP_RAD = 0.1
LIMIT_MARGIN_RAD = 0.03
SPEED_RAD_S = 1.2
CLAMP_SPEED_M_S = 0.25
SHORTEST_S = 0.1


class Planner:
    """Plans for one robot; joint positions are (J,), the gripper stays as it is."""

    def __init__(self, description: RobotDescription) -> None:
        self._description = description
        self._robot = description.robot
        self._arm = list(description.arm)
        self._lower, self._upper = description.lower[self._arm], description.upper[self._arm]

    def plan(self, start: np.ndarray, position_m: np.ndarray, yaw_rad: float) -> np.ndarray | None:
        """A path to the clamp at position_m (3,), pointing down, its yaw yaw_rad or half a turn from it.

        The clamp looks the same turned by half, so the yaw that takes the smaller joint motion is taken. None
        where the arm does not reach.
        """
        clamp = self._robot.clamp_pose(start)
        sideways = np.hypot(*(np.asarray(position_m)[:2] - clamp[:2, 3]))
        if _points_down(clamp) and sideways < NEAR_M:
            path = self._line(start, position_m, yaw_rad)
            if path is not None:
                return path
        above = np.array([*np.asarray(position_m)[:2], max(position_m[2], TRAVEL_M)])
        for goal in self.reaching(start, above, yaw_rad):
            way = self.clear_way(start, goal)
            if above[2] <= position_m[2]:
                return way
            down = self._line(goal, position_m, _yaw(self._robot.clamp_pose(goal)))
            if down is not None:
                return np.concatenate([way, down])
        return None

    def reaching(self, start: np.ndarray, position_m: np.ndarray, yaw_rad: float) -> list[np.ndarray]:
        """Joint positions (J,) with the clamp there, as many as were found, the nearest to start first."""
        found = []
        for yaw in (yaw_rad, yaw_rad + np.pi):
            target = hover_pose(position_m, yaw)
            for begin in (start, self._facing(start, position_m, yaw)):
                joints = solve(self._robot, target, begin)
                if joints is not None and self._within_margin(joints[self._arm]):
                    found.append(joints)
        return sorted(found, key=lambda joints: float(np.abs(joints - start).max()))

    def clear_way(self, start: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """A path (N, A) to joint positions `goal` (J,) that does not sweep over the support.

        A low clamp rises first; then straight to the goal where the hand stays high, else by raised postures.
        """
        way = [start[None, self._arm]]
        clamp = self._robot.clamp_pose(start)
        if _points_down(clamp) and clamp[2, 3] < TRAVEL_M:
            rise = self._line(start, np.array([*clamp[:2, 3], TRAVEL_M]), _yaw(clamp))
            way = way if rise is None else [rise]
        here = self._with_arm(start, way[-1][-1])
        if not self._is_clear(here, goal):
            way += [self._raised(here)[None], self._raised(goal)[None]]
        return np.concatenate([*way, goal[None, self._arm]])

    def _line(self, start: np.ndarray, position_m: np.ndarray, yaw_rad: float) -> np.ndarray | None:
        """A path along which the clamp moves straight and turns evenly to yaw_rad or half a turn from it."""
        clamp = self._robot.clamp_pose(start)
        turn = (yaw_rad - _yaw(clamp) + np.pi / 2) % np.pi - np.pi / 2
        for change in (turn, turn - np.copysign(np.pi, turn)):
            path = self._follow(start, clamp, np.asarray(position_m) - clamp[:3, 3], change)
            if path is not None:
                return path
        return None

    def _follow(
        self, start: np.ndarray, clamp: np.ndarray, way: np.ndarray, turn: float
    ) -> np.ndarray | None:
        steps = int(np.ceil(max(float(np.linalg.norm(way)) / LINE_STEP_M, abs(turn) / LINE_STEP_RAD, 1.0)))
        path, joints = [start[self._arm]], start
        for share in np.arange(1, steps + 1) / steps:
            target = hover_pose(clamp[:3, 3] + share * way, _yaw(clamp) + share * turn)
            solved = solve(self._robot, target, joints)
            if solved is None or not self._within_margin(solved[self._arm]):
                return None
            joints = solved
            path.append(joints[self._arm])
        return np.array(path)

    def _facing(self, start: np.ndarray, position_m: np.ndarray, yaw_rad: float) -> np.ndarray:
        """Home turned to the position and the yaw, with the gripper of `start`."""
        return self._with_arm(start, facing(self._description, position_m, yaw_rad)[self._arm])

    def _raised(self, joints: np.ndarray) -> np.ndarray:
        """An arm posture (A,) with the hand high up that faces where joints does, its wrist turned alike."""
        raised = self._description.home[self._arm]
        raised[[0, -1]] = joints[self._arm][[0, -1]]
        return raised

    def _with_arm(self, joints: np.ndarray, arm: np.ndarray) -> np.ndarray:
        whole = joints.copy()
        whole[self._arm] = arm
        return whole

    def _is_clear(self, start: np.ndarray, goal: np.ndarray) -> bool:
        count = int(np.ceil(np.abs(goal - start).max() / 0.1)) + 1
        for share in np.linspace(0, 1, count)[1:-1]:
            poses = self._robot.link_poses(start + share * (goal - start))
            if min(poses[link][2, 3] for link in self._description.clear_links) < CLEARANCE_M:
                return False
        return True

    def _within_margin(self, arm: np.ndarray) -> bool:
        lower, upper = self._lower + LIMIT_MARGIN_RAD, self._upper - LIMIT_MARGIN_RAD
        return bool(np.all((arm > lower) & (arm < upper)))

    def timed(self, path: np.ndarray, step_s: float) -> np.ndarray:
        """The path (N, A) sampled every step_s (T, A): speeds limited, starting and ending at rest."""
        home = self._description.home
        clamps = np.array([self._robot.clamp_pose(self._with_arm(home, arm))[:3, 3] for arm in path])
        costs = [0.0]
        for (before, after), (here, there) in zip(pairwise(path), pairwise(clamps), strict=True):
            turning = np.abs(after - before).max() / SPEED_RAD_S
            costs.append(max(turning, float(np.linalg.norm(there - here)) / CLAMP_SPEED_M_S))
        reached = np.cumsum(costs)
        duration = max(1.5 * reached[-1], SHORTEST_S)  # a smooth step is 1.5 times as fast in its middle
        share = np.arange(1, int(np.ceil(duration / step_s)) + 1) / np.ceil(duration / step_s)
        progress = share**2 * (3 - 2 * share) * reached[-1]
        return np.stack([np.interp(progress, reached, joint) for joint in path.T], axis=1)


def _yaw(clamp: np.ndarray) -> float:
    return float(np.arctan2(clamp[1, 0], clamp[0, 0]))


def _points_down(clamp: np.ndarray) -> bool:
    return bool(clamp[2, 2] < -0.99)
