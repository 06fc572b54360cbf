"""Random scenes, each a function of its arguments alone (domain randomization, Tobin et al., IROS 2017)."""

import numpy as np

from sim.random_streams import stream
from sim.randomization.arms import balls_of
from sim.randomization.blocks import sample_block
from sim.randomization.cameras import block_points, sample_camera
from sim.randomization.clutter import Surroundings, sample_distractors
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import happens
from sim.randomization.lights import sample_environment, sample_lights
from sim.randomization.optics import sample_optics
from sim.randomization.postures import Task, sample_joints
from sim.randomization.presets import preset
from sim.randomization.rooms import Sight, sample_room
from sim.randomization.supports import sample_support
from sim.randomization.surfaces import robot_paint
from sim.robots import RobotDescription, load_robot
from sim.scene import BLOCK, ROBOT, Scene, View

DEFAULT_PRESET = "lab"


def sample_scene(
    task: Task,
    seed: int,
    index: int,
    views: int = 3,
    config: RandomizationConfig | None = None,
    description: RobotDescription | None = None,
) -> Scene:
    """Scene `index` of series `seed`: robot, block and what is around them, lit and seen by `views` cameras.

    config: the ranges; those of the preset `lab` where none are given. description: the robot; the Panda where none
    is given. Each purpose has a random stream of its own, so that other ranges of one leave the draws of all others
    as they were. What follows from others follows: the arm hovers over the block, cameras see it, distractors and
    furniture stay clear of all these. Raises ValueError that tells the scene where nothing within the ranges can be.
    """
    config = config or preset(DEFAULT_PRESET)
    description = description or load_robot("panda")
    try:
        return _sampled(task, seed, index, views, config, description)
    except ValueError as error:
        raise ValueError(f"scene {index} of series {seed} ({task}): {error}") from error


def _sampled(
    task: Task, seed: int, index: int, views: int, config: RandomizationConfig, description: RobotDescription
) -> Scene:
    support = sample_support(seed, index, config, description)
    block = sample_block(seed, index, config, description, support)
    joints = sample_joints(task, seed, index, config, description, block, support)
    poses, balls = description.robot.link_poses(joints), balls_of(description)
    centres = balls.placed(poses)
    shown = block_points(block)
    clamp = None if task == "coarse" else poses["clamp"][:3, 3]
    optics = [sample_optics(seed, index, view, config) for view in range(views)]
    cameras = [
        sample_camera(seed, index, view, config, description, lens, shown, clamp, (centres, balls.radii))
        for view, (lens, _) in enumerate(optics)
    ]
    eyes = np.array([camera.position_m for camera in cameras]).reshape(-1, 3)
    around = Surroundings(block, shown, centres, balls.radii, eyes)
    distractors = sample_distractors(seed, index, config, description, support, around)
    sight = Sight(description.camera_target_m * (1, 1, 0), eyes, np.concatenate([centres, shown]))
    return Scene(
        seed=seed,
        index=index,
        robot=description.name,
        joints=joints,
        robot_materials=robot_paint(
            stream(seed, index, "robot"), description.tones, len(description.parts), config.robot, config.textures
        ),
        block=block,
        bodies=(*support.bodies, *sample_room(seed, index, config, support, sight), *distractors),
        lights=sample_lights(seed, index, config, description.camera_target_m),
        environment=sample_environment(seed, index, config),
        views=tuple(
            View(camera, lens, sensor) for camera, (lens, sensor) in zip(cameras, optics, strict=True)
        ),
        absent=_absent(seed, index, config),
    )


def _absent(seed: int, index: int, config: RandomizationConfig) -> tuple[int, ...]:
    rng, ranges = stream(seed, index, "absent"), config.absent
    missing = (happens(rng, ranges.block_share), happens(rng, ranges.robot_share))
    return tuple(label for label, gone in zip((BLOCK, ROBOT), missing, strict=True) if gone)
