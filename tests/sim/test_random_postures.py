"""Where the simulated robot starts and rests: clear of the support, the block and all that lies around."""

import numpy as np

from sim.randomization import preset, random_posture, sample_scene
from sim.randomization.arms import balls_of
from sim.randomization.postures import boxes_of
from sim.robots import load_robot
from sim.scene import DISTRACTOR, Body, Scene

SEED = 11


def clutter(scene: Scene) -> list[Body]:
    return [body for body in scene.bodies if body.label >= DISTRACTOR]


def test_random_postures_keep_clear_of_the_block():
    robot, block, rng = load_robot("panda"), sample_scene("coarse", SEED, 0).block, np.random.default_rng(1)
    for _ in range(5):
        joints = random_posture(rng, robot, block)
        clamp = robot.robot.clamp_pose(robot.robot.check(joints))
        assert np.linalg.norm(clamp[:3, 3] - (block.x_m, block.y_m, 0)) > 0.15


def test_random_postures_keep_clear_of_what_lies_around():
    robot, rng = load_robot("panda"), np.random.default_rng(1)
    scenes = [sample_scene("coarse", SEED, index, config=preset("adv")) for index in range(6)]
    scene = max(scenes, key=lambda one: len(clutter(one)))
    balls = balls_of(robot)
    for _ in range(5):
        joints = random_posture(rng, robot, scene.block, clutter(scene), ground_m=0.02)
        centres = balls.placed(robot.robot.link_poses(joints))[~balls.grounded]
        radii = balls.radii[~balls.grounded]
        assert (centres[:, 2] - radii).min() >= 0.02
        assert all(boxes_of([body]).gaps_to_balls(centres, radii).min() > 0 for body in clutter(scene))
