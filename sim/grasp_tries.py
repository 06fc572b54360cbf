"""Grasp trials in sampled scenes, with grasps that miss by a given error: which error can a gripper stand?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.grasp_trial import GraspTrial, TrialResult
from sim.grasps import grasp_of
from sim.random_streams import stream
from sim.randomization import RandomizationConfig, sample_scene
from sim.robots import RobotDescription
from sim.scene import Scene
from sim.settle import settle_scene, stands_level


@dataclass(frozen=True)
class Try:
    """One trial: scene `index` of its series, what came of it, and how long it took, s."""

    index: int
    result: TrialResult
    wall_s: float


def scene_of(description: RobotDescription, config: RandomizationConfig, seed: int, index: int) -> Scene:
    """Scene `index` of series `seed`; on uneven ground, everything lies at rest."""
    scene = sample_scene("coarse", seed, index, 1, config, description)
    return scene if stands_level(scene) else settle_scene(scene)


def try_one(trial: GraspTrial, scene: Scene, offset_m: float = 0.0, turn_rad: float = 0.0) -> Try:
    """The grasp across the block's middle, moved by offset_m to a random side and turned by turn_rad either way."""
    start = time.perf_counter()
    rng = stream(scene.seed, scene.index, "grasp error")
    azimuth, sign = rng.uniform(-np.pi, np.pi), rng.choice([-1.0, 1.0])
    offset = offset_m * np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    grasp = grasp_of(scene.block, trial.description).disturbed(offset, sign * turn_rad)
    result = trial.run(scene.block, grasp, scene.bodies, scene.index)
    return Try(scene.index, result, time.perf_counter() - start)


def tries(
    trial: GraspTrial,
    config: RandomizationConfig,
    seed: int,
    episodes: int,
    offset_m: float = 0.0,
    turn_rad: float = 0.0,
) -> Iterator[Try]:
    """One try in each of the first scenes of a series."""
    for index in range(episodes):
        yield try_one(trial, scene_of(trial.description, config, seed, index), offset_m, turn_rad)
