"""Random scenes, each a function of (task, seed, index) alone (domain randomization, Tobin et al., IROS 2017)."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from perception.camera import Camera
from perception.robot import Robot
from sim.inverse_kinematics import hover_pose, solve
from sim.random_streams import stream
from sim.scene import (
    SUPPORT, Block, Body, Environment, Light, Material, Scene, Texture, View,
)

Task = Literal["coarse", "tool", "fine"]

IMAGE_SIZE = (640, 480)
TEXTURES = 192
REACH_M = (0.34, 0.64)
WORKSPACE_X_M = (0.25, 0.64)
WORKSPACE_Y_M = (-0.40, 0.40)
LENGTH_M, WIDTH_M, HEIGHT_M = (0.060, 0.120), (0.025, 0.055), (0.030, 0.060)
LEAST_ASPECT = 1.3
FINGER_OPEN_M = 0.04
HOVER_HEIGHT_M = (0.08, 0.20)
FINE_OFFSET_M = 0.055
REST = np.array([0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785, FINGER_OPEN_M, FINGER_OPEN_M])
ARM_SPREAD_RAD = np.array([1.1, 0.55, 0.5, 0.6, 0.5, 0.6, 1.8])
LEAST_CONTRAST = 0.15


def sample_scene(task: Task, seed: int, index: int, views: int = 3, robot: Robot | None = None) -> Scene:
    """Scene `index` of series `seed`: a block within reach, a robot pose as the task needs it, `views` cameras.

    coarse: half of the robot poses are anywhere, half hover near the block, as they do when fine views are
    calibrated. tool and fine: the clamp hovers, within FINE_OFFSET_M of the block for fine, farther for tool.
    """
    robot = robot or Robot.load("panda")
    block = _block(seed, index)
    joints = _joints(task, seed, index, block, robot)
    cameras = stream(seed, index, "camera")
    light, environment = _light(stream(seed, index, "light"), stream(seed, index, "background"))
    return Scene(
        seed=seed,
        index=index,
        robot=robot.name,
        joints=joints,
        robot_materials=(
            _robot_tone(stream(seed, index, "robot"), 0.6, 1.0),
            _robot_tone(stream(seed, index, "robot dark"), 0.1, 0.4),
        ),
        block=block,
        bodies=(_support(stream(seed, index, "plane")),),
        lights=(light,),
        environment=environment,
        views=tuple(View(_camera(cameras)) for _ in range(views)),
    )


def _block(seed: int, index: int) -> Block:
    shape, place = stream(seed, index, "block shape"), stream(seed, index, "block place")
    width = shape.uniform(*WIDTH_M)
    length = shape.uniform(max(LENGTH_M[0], LEAST_ASPECT * width), LENGTH_M[1])
    while True:
        x, y = place.uniform(*WORKSPACE_X_M), place.uniform(*WORKSPACE_Y_M)
        if REACH_M[0] <= np.hypot(x, y) <= REACH_M[1]:
            break
    plane = _material(stream(seed, index, "plane"))
    look = stream(seed, index, "block look")
    material = _material(look)
    while np.abs(np.subtract(material.rgb, plane.rgb)).max() < LEAST_CONTRAST:
        material = _material(look)
    size = (float(length), float(width), float(shape.uniform(*HEIGHT_M)))
    return Block(size, float(x), float(y), float(place.uniform(0, np.pi)), material)


def _joints(task: Task, seed: int, index: int, block: Block, robot: Robot) -> np.ndarray:
    rng = stream(seed, index, "joints")
    if task == "coarse" and rng.random() < 0.5:
        return random_posture(rng, robot, block)
    spread = FINE_OFFSET_M if task == "fine" else 0.12
    while True:
        offset = rng.uniform(-spread, spread, 2)
        height = rng.uniform(*HOVER_HEIGHT_M)
        position = (block.x_m + offset[0], block.y_m + offset[1], height)
        joints = solve(robot, hover_pose(position, rng.uniform(-np.pi, np.pi)), _start(rng, position))
        if joints is not None:
            joints[7:] = FINGER_OPEN_M if rng.random() < 0.8 else rng.uniform(0.005, FINGER_OPEN_M)
            return joints


def _start(rng: np.random.Generator, position: tuple[float, float, float]) -> np.ndarray:
    """A posture that faces the position, so that the solver ends in the elbow-up family."""
    start = REST.copy()
    start[0] = np.arctan2(position[1], position[0])
    start[:7] += rng.normal(0, 0.15, 7)
    return start


def random_posture(rng: np.random.Generator, robot: Robot, block: Block) -> np.ndarray:
    """Joint positions (9,) anywhere above the support, clear of the block: what a robot may look like when asked."""
    lower, upper = (np.array([getattr(joint, side) for joint in robot.moving]) for side in ("lower", "upper"))
    while True:
        joints = REST.copy()
        joints[:7] += rng.uniform(-ARM_SPREAD_RAD, ARM_SPREAD_RAD)
        joints[7:] = rng.uniform(0.0, FINGER_OPEN_M)
        joints = np.clip(joints, lower, upper)
        poses = robot.link_poses(joints)
        places = np.array(
            [poses[name][:3, 3] for name in ("panda_link6", "panda_link7", "panda_hand", "clamp")]
        )
        away = np.linalg.norm(places - (block.x_m, block.y_m, 0.03), axis=1).min()
        if places[:, 2].min() > 0.08 and away > 0.15:
            return joints


def _material(rng: np.random.Generator, textured: float = 0.6) -> Material:
    rgb = rng.uniform(0.1, 1.0, 3)
    if rng.random() < 0.3:  # real surfaces are often gray or nearly so
        rgb = np.clip(rgb.mean() + rng.normal(0, 0.03, 3), 0, 1)
    seed = int(rng.integers(TEXTURES))
    return Material(_triple(rgb), Texture("any", seed) if rng.random() < textured else None)


def _support(rng: np.random.Generator) -> Body:
    return Body("plane", np.eye(4), _material(rng), SUPPORT, (4.0, 4.0, 1.0))


def _robot_tone(rng: np.random.Generator, low: float, high: float) -> Material:
    rgb = np.clip(rng.uniform(low, high) + rng.normal(0, 0.04, 3), 0, 1)
    return Material(_triple(rgb))


def _triple(values: ArrayLike) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in np.asarray(values))
    return first, second, third


def _light(rng: np.random.Generator, behind: np.random.Generator) -> tuple[Light, Environment]:
    azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(np.radians(25), np.radians(80))
    direction = (np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation))
    rgb = _triple(rng.uniform(0.8, 1.0, 3))
    ambient, diffuse = rng.uniform(0.35, 0.65), rng.uniform(0.2, 0.6)
    light = Light("directional", _triple(direction), rgb, float(diffuse), shadow=bool(rng.random() < 0.6))
    backdrop = _material(behind, textured=1.0)
    return light, Environment(float(ambient), backdrop.rgb, rgb, backdrop.texture)


def _camera(rng: np.random.Generator) -> Camera:
    """A camera in front of or beside the robot that sees the workspace and most of the arm; focal length unknown."""
    width, height = IMAGE_SIZE
    focal = width * rng.uniform(0.8, 1.6)
    distance = focal / height * rng.uniform(0.95, 1.45)
    azimuth, elevation = np.radians(rng.uniform(-110, 110)), np.radians(rng.uniform(18, 60))
    target = np.array([0.36, 0.0, 0.20]) + rng.normal(0, 0.05, 3)
    eye = target + distance * np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    return Camera.looking_at(eye, target, focal, width, height, roll_rad=float(rng.normal(0, np.radians(3))))
