"""A world without physics or renderer: the robot goes where it is told, and pictures show coloured discs.

The pictures are those that the networks of `fixtures_bundle` understand. A clamp that closes around the block
holds it; the block then moves along.
"""

from dataclasses import replace

import numpy as np
from fixtures_bundle import SIZE_M, draw_markers, upright
from scipy.optimize import least_squares

from perception.camera import Camera
from perception.robot import Robot
from perception.world import BlockTruth, MoveResult

READY = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.8])
OVERVIEW = np.array([0.9, -0.6, 0.2, -2.0, 0.1, 1.7, 0.5])
HELD_WITHIN_M = 0.01


class MarkerWorld:
    """A robot, a block of fixed size, and three cameras; see perception.world.World."""

    camera_names = ("camera_1", "camera_2", "camera_3")

    def __init__(self) -> None:
        self._robot = Robot.load("panda")
        self.base_frame, self.joint_names = self._robot.base, self._robot.joint_names
        self.state_id = 0
        self.reset(0, 0)

    def reset(self, seed: int, index: int) -> None:
        rng = np.random.default_rng([seed, index])
        self._block = np.array([rng.uniform(0.4, 0.55), rng.uniform(-0.15, 0.15), 0.0, rng.uniform(0, np.pi)])
        self._cameras = {
            name: Camera.looking_at(
                (0.5 + 1.3 * np.cos(angle), 1.3 * np.sin(angle), rng.uniform(0.7, 0.9)),
                (0.3, 0.0, 0.15),
                rng.uniform(620.0, 720.0),
                640,
                480,
            )
            for name, angle in zip(self.camera_names, (-0.9, 0.1, 1.1), strict=True)
        }
        self._opening_m = 0.08
        self._holding = False
        self.home()

    def joint_positions(self) -> np.ndarray:
        return np.concatenate([self._arm, [self._opening_m / 2] * 2])

    def image(self, camera: str) -> np.ndarray:
        x, y, z, yaw = self._block
        lying = upright(x, y, yaw)
        block = replace(lying, position=lying.position + np.array((0.0, 0.0, z)))
        return draw_markers(self._cameras[camera], self.joint_positions(), block)

    def move_clamp(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> MoveResult:
        target = np.array([np.cos(yaw_rad), np.sin(yaw_rad), 0.0]), np.array([0.0, 0.0, -1.0])

        def residual(arm: np.ndarray) -> np.ndarray:
            pose = self._robot.clamp_pose(np.concatenate([arm, [0.0, 0.0]]))
            return np.concatenate(
                [10 * (pose[:3, 3] - position_m), pose[:3, 0] - target[0], pose[:3, 2] - target[1]]
            )

        limits = [(joint.lower + 1e-3, joint.upper - 1e-3) for joint in self._robot.moving[:7]]
        lower, upper = np.array(limits).T
        for wrist in (0.8, -0.8, 2.3, -2.3):
            start = [np.arctan2(position_m[1], position_m[0]), *READY[1:6], wrist]
            found = least_squares(residual, start, bounds=(lower, upper))
            if found.cost < 1e-6:
                break
        else:
            return self._result(False, f"the clamp cannot reach {np.round(position_m, 3).tolist()}.")
        before = self._clamp()[0]
        self._arm = found.x
        after = self._clamp()[0]
        if self._holding:
            self._block[:3] += after - before
        self._opening_m = max(opening_m, SIZE_M[1] if self._closes_on_block(yaw_rad) else 0.0)
        self._holding = opening_m < SIZE_M[1] and self._closes_on_block(yaw_rad)
        self.state_id += 1
        return self._result(True, "")

    def home(self) -> MoveResult:
        self._arm = OVERVIEW.copy()
        self._holding = False
        self._opening_m = 0.08
        self.state_id += 1
        return self._result(True, "")

    def block_truth(self) -> BlockTruth:
        x, y, z, yaw = (float(value) for value in self._block)
        return BlockTruth(x, y, z, yaw, np.array(SIZE_M), z > 0.05)

    def close(self) -> None:
        """Nothing is held."""

    def _clamp(self) -> tuple[np.ndarray, float]:
        pose = self._robot.clamp_pose(self.joint_positions())
        return pose[:3, 3], float(np.arctan2(pose[1, 0], pose[0, 0]))

    def _closes_on_block(self, yaw_rad: float) -> bool:
        place, _ = self._clamp()
        across = abs(np.sin(yaw_rad - self._block[3]))
        near = np.hypot(*(place[:2] - self._block[:2])) < HELD_WITHIN_M
        return bool(near and across > 0.95 and place[2] - self._block[2] < SIZE_M[2])

    def _result(self, reached: bool, message: str) -> MoveResult:
        place, yaw = self._clamp()
        return MoveResult(reached, place, yaw, self._opening_m, self._holding, message)
