"""The simulated world behind `perception.world.World`: PyBullet physics, pictures by one of the renderers.

An episode (seed, index) takes its block, cameras, light and materials from `sim.randomization.sample_scene`,
so what the cameras see is of the kind that the networks were trained on. The arm starts and rests in postures
as in coarse training, clear of the block.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from perception.errors import BlockworldError
from perception.robot import Robot
from perception.world import BlockTruth, MoveResult
from sim.motion import Planner
from sim.physics import STEP_S, Physics
from sim.random_streams import stream
from sim.randomization import random_posture, sample_scene
from sim.robots import load_robot
from sim.renderers import Shot, open_renderer

CAMERAS = 3
OVERSAMPLING = 2.0
FINGER_OPEN_M = 0.04
REACHED_M, REACHED_RAD = 0.003, 0.03
STUCK_RAD = 0.15  # the arm is this far behind its path: something is in the way
SETTLE_S, LONGEST_SETTLE_S = 0.1, 1.5
AT_REST = 2e-3  # rad/s and m/s
HELD_OPENING_M = 0.002
LIFTED_M = 0.05
SEEN_CHANGE = 1e-5  # rad and m; less than this no camera sees


class PybulletWorld:
    """A Panda, a block and three cameras; see `perception.world.World`. Equal calls give equal worlds."""

    camera_names = tuple(f"camera_{number + 1}" for number in range(CAMERAS))

    def __init__(self, seed: int = 0, index: int = 0, renderer: str = "tiny") -> None:
        self._robot = Robot.load("panda")
        self.joint_names = self._robot.joint_names
        self._planner = Planner(self._robot)
        self._renderer = open_renderer(renderer)
        self._physics = Physics(self._robot)
        self._state_id = 0
        self._visible = np.empty(0)
        self.reset(seed, index)

    @property
    def state_id(self) -> int:
        """Changes whenever anything that a camera sees has changed."""
        return self._state_id

    def reset(self, seed: int, index: int) -> None:
        """Start episode `index` of series `seed`; see the module."""
        self._scene = sample_scene("coarse", seed, index, CAMERAS)
        self._postures = stream(seed, index, "world postures")
        self._physics.close()  # a fresh client: nothing of the last episode lingers in its solver
        self._physics = Physics(self._robot)
        joints = random_posture(self._postures, load_robot("panda"), self._scene.block)
        self._physics.place(joints, self._scene.block)
        self._arm, self._finger_m = joints[:7], float(joints[7])
        self._settle()
        self._visible = self._what_is_seen()
        self._state_id += 1

    def joint_positions(self) -> np.ndarray:
        """Joint positions (9,) in rad and m."""
        return self._physics.joint_positions()

    def image(self, camera: str) -> np.ndarray:
        """The picture (480, 640, 3) uint8 RGB of a camera; raises BlockworldError for an unknown one."""
        if camera not in self.camera_names:
            known = ", ".join(self.camera_names)
            raise BlockworldError(f"there is no camera '{camera}': choose one of {known}.")
        pose = self._physics.block_pose()
        truth = self.block_truth()
        block = replace(self._scene.block, x_m=truth.x_m, y_m=truth.y_m, yaw_rad=truth.yaw_rad, pose=pose)
        scene = replace(self._scene, joints=self.joint_positions(), block=block)
        shot = Shot.whole(scene.cameras[self.camera_names.index(camera)], oversampling=OVERSAMPLING)
        return self._renderer.render(scene, [shot])[0].rgb

    def move_clamp(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> MoveResult:
        """Bring the clamp, pointing down, to position_m (3,) and yaw_rad (or half a turn from it) in base.

        The fingers open before the arm moves and close after it. Where the arm does not reach, or is held up
        on its way, `reached` is False and the message says how far off the clamp is.
        """
        position = np.asarray(position_m, dtype=float)
        finger = float(np.clip(opening_m / 2, 0.0, FINGER_OPEN_M))
        path = self._planner.plan(self.joint_positions(), position, yaw_rad)
        if path is None:
            return self._result(
                False,
                f"the arm does not reach {_text(position)} with the clamp at {np.degrees(yaw_rad):.0f} deg: "
                f"{np.linalg.norm(position):.2f} m from the base; the clamp stays "
                f"{self._distance(position):.2f} m away from it.",
            )
        if finger > self._finger_m:
            self._finger_m = finger
            self._settle()
        unhindered = self._follow(path)
        if unhindered and finger < self._finger_m:
            self._finger_m = finger
            self._settle()
        self._note_change()
        turn = (self._clamp()[1] - yaw_rad + np.pi / 2) % np.pi - np.pi / 2
        if self._distance(position) > REACHED_M or abs(turn) > REACHED_RAD:
            return self._result(
                False,
                f"the clamp stopped {1000 * self._distance(position):.0f} mm and "
                f"{abs(np.degrees(turn)):.0f} deg from {_text(position)}: something is in its way.",
            )
        return self._result(True, "")

    def home(self) -> MoveResult:
        """Go to the next random posture of the episode, clear of the block."""
        truth = self.block_truth()
        block = replace(self._scene.block, x_m=truth.x_m, y_m=truth.y_m)
        posture = random_posture(self._postures, load_robot("panda"), block)
        self._finger_m = float(posture[7])
        self._settle()
        arrived = self._follow(self._planner.clear_way(self.joint_positions(), posture))
        self._note_change()
        return self._result(arrived, "" if arrived else "the arm was held up on its way home.")

    def block_truth(self) -> BlockTruth:
        """Where the block is; lifted when its lowest corner is more than 5 cm above the support."""
        pose = self._physics.block_pose()
        x, y, z = (float(value) for value in pose[:3, 3])
        corners = np.array(list(product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0)))) * self._scene.block.size_m
        lowest = float((corners @ pose[:3, :3].T + pose[:3, 3])[:, 2].min())
        yaw = float(np.arctan2(pose[1, 0], pose[0, 0]) % np.pi)
        return BlockTruth(x, y, z, yaw, np.array(self._scene.block.size_m), lowest > LIFTED_M)

    def close(self) -> None:
        """Free the physics and the renderer."""
        self._physics.close()
        self._renderer.close()

    def _follow(self, path: np.ndarray) -> bool:
        """Drive the arm along a path (N, 7); False, with the arm held where it is, when it falls behind."""
        targets = self._planner.timed(path, STEP_S)
        speeds = np.gradient(np.concatenate([path[:1], targets]), STEP_S, axis=0)[1:]
        for target, speed in zip(targets, speeds, strict=True):
            self._physics.step(target, speed, self._finger_m)
            arm = self.joint_positions()[:7]
            if np.abs(target - arm).max() > STUCK_RAD:
                self._arm = arm
                self._settle()
                return False
        self._arm = targets[-1]
        self._settle()
        return True

    def _settle(self) -> None:
        """Hold the arm's target until nothing moves any more, or time is up."""
        still = np.zeros(7)
        for count in range(int(LONGEST_SETTLE_S / STEP_S)):
            self._physics.step(self._arm, still, self._finger_m)
            if count * STEP_S > SETTLE_S and np.abs(self._physics.joint_speeds()).max() < AT_REST:
                return

    def _clamp(self) -> tuple[np.ndarray, float]:
        clamp = self._robot.clamp_pose(self.joint_positions())
        return clamp[:3, 3], float(np.arctan2(clamp[1, 0], clamp[0, 0]))

    def _distance(self, position_m: np.ndarray) -> float:
        return float(np.linalg.norm(self._clamp()[0] - position_m))

    def _result(self, reached: bool, message: str) -> MoveResult:
        position, yaw = self._clamp()
        opening = float(self.joint_positions()[7:].sum())
        holding = opening > HELD_OPENING_M and self._physics.fingers_touch_block()
        return MoveResult(reached, position, yaw, opening, holding, message)

    def _what_is_seen(self) -> np.ndarray:
        return np.concatenate([self.joint_positions(), self._physics.block_pose().ravel()])

    def _note_change(self) -> None:
        seen = self._what_is_seen()
        if np.abs(seen - self._visible).max() > SEEN_CHANGE:
            self._visible = seen
            self._state_id += 1


def _text(position_m: np.ndarray) -> str:
    return "({:.3f}, {:.3f}, {:.3f}) m".format(*position_m)
