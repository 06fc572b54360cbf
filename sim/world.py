"""The simulated world behind `perception.world.World`: PyBullet physics, pictures by one of the renderers.

An episode (seed, index) takes its scene from `sim.randomization.sample_scene`, so that what the cameras see is of
the kind that networks are trained on: a calm table unless another configuration is given. On uneven ground everything
comes to rest first; a scene whose block tips over there is replaced by another one. The arm starts and rests in
postures as in coarse training, clear of the block and of what lies around, which moves when it is pushed.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from perception.errors import BlockworldError
from perception.world import BlockTruth, MoveResult
from sim.meshes import load_mesh
from sim.motion import Planner
from sim.optics import photograph
from sim.physics import STEP_S, Physics
from sim.random_streams import stream
from sim.randomization import RandomizationConfig, preset, random_posture, sample_scene
from sim.renderers import Shot, open_renderer
from sim.robots import RobotDescription, load_robot
from sim.scene import DISTRACTOR, SUPPORT, Block, Body, Scene
from sim.settle import settle_scene, stands_level

CAMERAS = 3
RENDERERS = {"auto": "gl"}  # which says so, and draws with tiny, where OpenGL does not work
OVERSAMPLING = 1.25  # as in training images; pictures are made smaller before a network sees them
REACHED_M, REACHED_RAD = 0.003, 0.03
STUCK_RAD = 0.15  # the arm is this far behind its path: something is in the way
SETTLE_S, LONGEST_SETTLE_S = 0.1, 1.5
AT_REST = 2e-3  # rad/s and m/s
HELD_OPENING_M = 0.002
LIFTED_M = 0.05
SEEN_CHANGE = 1e-5  # rad and m; less than this no camera sees
MOST_TILT_RAD = np.radians(12.0)  # of a block that lies on its bottom; beyond, it has tipped over or is about to
ANOTHER, SCENES = 1_000_000, 20  # a scene whose block does not lie well is replaced by that many numbers later


class PybulletWorld:
    """A robot, a block and three cameras; see `perception.world.World`. Equal calls give equal worlds.

    renderer: a name of `sim.renderers`, or auto: gl where it works, else tiny. robot: a name or a description that
    `sim.robots.load_robot` knows. config: what episodes are drawn from.
    """

    camera_names = tuple(f"camera_{number + 1}" for number in range(CAMERAS))

    def __init__(
        self,
        seed: int = 0,
        index: int = 0,
        renderer: str = "tiny",
        robot: str | RobotDescription = "panda",
        config: RandomizationConfig | None = None,
    ) -> None:
        self._description = load_robot(robot) if isinstance(robot, str) else robot
        self._config = config or preset("lab")
        self._robot = self._description.robot
        self._arm_indices, self._finger_index = list(self._description.arm), self._description.fingers[0]
        self.base_frame, self.joint_names = self._robot.base, self._robot.joint_names
        self._planner = Planner(self._description)
        self._renderer = open_renderer(RENDERERS.get(renderer, renderer))
        self._physics: Physics
        self._state_id = 0
        self._visible = np.empty(0)
        self.reset(seed, index)

    @property
    def state_id(self) -> int:
        """Changes whenever anything that a camera sees has changed."""
        return self._state_id

    def reset(self, seed: int, index: int) -> None:
        """Start episode `index` of series `seed`; see the module."""
        self._scene = self._at_rest(seed, index)
        self._postures = stream(seed, index, "world postures")
        if self._state_id:  # a fresh client: nothing of the last episode lingers in its solver
            self._physics.close()
        supports = [body for body in self._scene.bodies if body.label == SUPPORT]
        self._ground_m = max(0.0, *(_top(body) for body in supports)) if not stands_level(self._scene) else 0.0
        self._physics = Physics(self._description, supports)
        self._things: dict[int, int] = {}  # number in the physics by number in the scene
        for number, body in enumerate(self._scene.bodies):
            if body.label >= DISTRACTOR:
                self._things[number] = self._physics.add(body)
            elif body.label != SUPPORT:
                self._physics.add_still(body)
        self._block = self._physics.add(self._scene.block)
        joints = self._posture(self._scene.block)
        self._physics.place(joints)
        self._arm, self._finger = joints[self._arm_indices], float(joints[self._finger_index])
        self._settle()
        self._visible = self._what_is_seen()
        self._state_id += 1

    def scene(self) -> Scene:
        """The scene as it is now: robot and block where they are."""
        bodies = list(self._scene.bodies)
        for number, thing in self._things.items():
            bodies[number] = replace(bodies[number], pose=self._physics.pose(thing))
        block = self._block_now(self._block_pose())
        return replace(self._scene, joints=self.joint_positions(), block=block, bodies=tuple(bodies))

    def joint_positions(self) -> np.ndarray:
        """Joint positions (J,) in rad and m."""
        return self._physics.joint_positions()

    def image(self, camera: str) -> np.ndarray:
        """The picture (480, 640, 3) uint8 RGB of a camera; raises BlockworldError for an unknown one."""
        if camera not in self.camera_names:
            known = ", ".join(self.camera_names)
            raise BlockworldError(f"there is no camera '{camera}': choose one of {known}.")
        scene = self.scene()
        view = scene.views[self.camera_names.index(camera)]
        shot = Shot.whole(view.camera, oversampling=OVERSAMPLING)
        return photograph(self._renderer, scene, [shot], [view])[0].rgb

    def move_clamp(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> MoveResult:
        """Bring the clamp, pointing down, to position_m (3,) and yaw_rad (or half a turn from it) in base.

        The fingers open before the arm moves and close after it. Where the arm does not reach, or is held up
        on its way, `reached` is False and the message says how far off the clamp is.
        """
        position = np.asarray(position_m, dtype=float)
        finger = self._description.finger_at(opening_m)
        path = self._planner.plan(self.joint_positions(), position, yaw_rad)
        if path is None:
            return self._result(
                False,
                f"the arm does not reach {_text(position)} with the clamp at {np.degrees(yaw_rad):.0f} deg: "
                f"{np.linalg.norm(position):.2f} m from the base; the clamp stays "
                f"{self._distance(position):.2f} m away from it.",
            )
        opens = self._description.opening_at(finger) > self._description.opening_at(self._finger)
        if opens:
            self._finger = finger
            self._settle()
        unhindered = self._follow(path)
        if unhindered and not opens and finger != self._finger:
            self._finger = finger
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
        try:
            posture = self._posture(self._block_now(None))
        except ValueError as error:
            return self._result(False, str(error))
        self._finger = float(posture[self._finger_index])
        self._settle()
        arrived = self._follow(self._planner.clear_way(self.joint_positions(), posture))
        self._note_change()
        return self._result(arrived, "" if arrived else "the arm was held up on its way home.")

    def block_truth(self) -> BlockTruth:
        """Where the block is; lifted when its lowest corner is more than 5 cm higher than where it started."""
        pose = self._block_pose()
        x, y, z = (float(value) for value in pose[:3, 3])
        raised = self._lowest(pose) - self._lowest(self._scene.block.T_base_block)
        yaw = float(np.arctan2(pose[1, 0], pose[0, 0]) % np.pi)
        return BlockTruth(x, y, z, yaw, np.array(self._scene.block.size_m), raised > LIFTED_M)

    def close(self) -> None:
        """Free the physics and the renderer."""
        self._physics.close()
        self._renderer.close()

    def _at_rest(self, seed: int, index: int) -> Scene:
        """The scene of an episode, its block on its bottom and at rest."""
        for number in range(SCENES):
            scene = sample_scene(
                "coarse", seed, index + number * ANOTHER, CAMERAS, self._config, self._description
            )
            if stands_level(scene):
                return scene
            try:
                scene = settle_scene(scene)
            except ValueError:  # something rolls away, or never comes to rest
                continue
            if scene.block.T_base_block[2, 2] > np.cos(MOST_TILT_RAD):
                return scene
        raise BlockworldError(
            f"in none of {SCENES} scenes does the block stay on its bottom: lower terrain.amplitude_m."
        )

    def _posture(self, block: Block) -> np.ndarray:
        things = [body for body in self.scene().bodies if body.label >= DISTRACTOR]
        return random_posture(self._postures, self._description, block, things, self._ground_m)

    def _block_pose(self) -> np.ndarray:
        """T_base_block (4, 4), its origin the centre of the bottom face."""
        pose = self._physics.pose(self._block)
        pose[:3, 3] -= self._scene.block.size_m[2] / 2 * pose[:3, 2]
        return pose

    def _block_now(self, pose: np.ndarray | None) -> Block:
        truth = self.block_truth()
        return replace(self._scene.block, x_m=truth.x_m, y_m=truth.y_m, yaw_rad=truth.yaw_rad, pose=pose)

    def _lowest(self, pose: np.ndarray) -> float:
        corners = np.array(list(product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0)))) * self._scene.block.size_m
        return float((corners @ pose[:3, :3].T + pose[:3, 3])[:, 2].min())

    def _follow(self, path: np.ndarray) -> bool:
        """Drive the arm along a path (N, A); False, with the arm held where it is, when it falls behind."""
        targets = self._planner.timed(path, STEP_S)
        speeds = np.gradient(np.concatenate([path[:1], targets]), STEP_S, axis=0)[1:]
        for target, speed in zip(targets, speeds, strict=True):
            self._physics.step(target, speed, self._finger)
            arm = self.joint_positions()[self._arm_indices]
            if np.abs(target - arm).max() > STUCK_RAD:
                self._arm = arm
                self._settle()
                return False
        self._arm = targets[-1]
        self._settle()
        return True

    def _settle(self) -> None:
        """Hold the arm's target until nothing moves any more, or time is up."""
        still = np.zeros(len(self._arm_indices))
        for count in range(int(LONGEST_SETTLE_S / STEP_S)):
            self._physics.step(self._arm, still, self._finger)
            if count * STEP_S > SETTLE_S and np.abs(self._physics.joint_speeds()).max() < AT_REST:
                return

    def _clamp(self) -> tuple[np.ndarray, float]:
        clamp = self._robot.clamp_pose(self.joint_positions())
        return clamp[:3, 3], float(np.arctan2(clamp[1, 0], clamp[0, 0]))

    def _distance(self, position_m: np.ndarray) -> float:
        return float(np.linalg.norm(self._clamp()[0] - position_m))

    def _result(self, reached: bool, message: str) -> MoveResult:
        position, yaw = self._clamp()
        opening = self._description.opening_at(float(self.joint_positions()[self._finger_index]))
        holding = opening > HELD_OPENING_M and min(self._physics.grip_forces(self._block)) > 0
        return MoveResult(reached, position, yaw, opening, holding, message)

    def _what_is_seen(self) -> np.ndarray:
        poses = [self._physics.pose(thing).ravel() for thing in (self._block, *self._things.values())]
        return np.concatenate([self.joint_positions(), *poses])

    def _note_change(self) -> None:
        seen = self._what_is_seen()
        if np.abs(seen - self._visible).max() > SEEN_CHANGE:
            self._visible = seen
            self._state_id += 1


def _top(body: Body) -> float:
    """Height of a body's highest point, m."""
    vertices = load_mesh(body.mesh).vertices * body.scale
    return float((vertices @ body.pose[2, :3] + body.pose[2, 3]).max())


def _text(position_m: np.ndarray) -> str:
    return "({:.3f}, {:.3f}, {:.3f}) m".format(*position_m)
