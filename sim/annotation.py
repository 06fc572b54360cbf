"""Exemplars made by trying: antipodal grasps of a shape, each with how often it went well in physics."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from perception.exemplars import AnnotatedObject, Grasps
from sim.antipodal import Candidates, sample_grasps
from sim.random_streams import stream
from sim.shape_trials import RULES, ShapeTrials
from sim.shapes import ObjectShape

PAIRS, MOST_ROUNDS, CHOICE = 400, 15, 2
POSITION_ERROR_M, TURN_ERROR_RAD = 0.003, 0.05  # standard deviations, of each axis, of where the hand really goes
HOPELESS = 2  # failures at the beginning after which a grasp is not tried again
NEAR_M = 0.03  # grasps this far apart are as different as those that approach from one radian apart


def annotate(
    shape: ObjectShape, seed: int, count: int = 48, tries: int = 5, progress: Callable[[int, int], None] | None = None
) -> AnnotatedObject:
    """The shape with up to `count` grasps that differ, each tried up to `tries` times: lifted, held and shaken.

    Mass and frictions are drawn for each try, and the hand misses the grasp a little. What failed twice at first is
    tried no more. progress is called with the number of grasps done and their number. Equal arguments give equal
    results on one machine. Raises ValueError for a shape that no antipodal grasp is found of.
    """
    rng = stream(seed, 0, f"annotation {shape.category}")
    trials = ShapeTrials(shape, replace(RULES, tests=("shake",)))
    found = candidates_of(shape, trials.solid.pose, rng, count)
    if not len(found.opening_m):
        raise ValueError(f"the hand finds no hold on this {shape.category}: it is too large or too small for it.")
    chosen = diverse(found, count)
    done, good = np.zeros(len(chosen.opening_m), int), np.zeros(len(chosen.opening_m), int)
    for number, (pose, opening) in enumerate(zip(chosen.T_object_clamp, chosen.opening_m, strict=True)):
        while done[number] < tries and (good[number] or done[number] < HOPELESS):
            missed = pose @ missing(rng)
            good[number] += trials.run(missed, float(opening), int(rng.integers(2**31))).success
            done[number] += 1
        if progress is not None:
            progress(number + 1, len(done))
    return AnnotatedObject(
        shape.category, shape.vertices, shape.faces, Grasps(chosen.T_object_clamp, chosen.opening_m, done, good)
    )


def candidates_of(
    shape: ObjectShape, T_table_object: np.ndarray, rng: np.random.Generator, count: int
) -> Candidates:
    """Candidates from so many rounds of sampling that there are some to choose from, where that is possible: of what
    lies low, the hand reaches little."""
    rounds: list[Candidates] = []
    while len(rounds) < MOST_ROUNDS and sum(len(one.opening_m) for one in rounds) < CHOICE * count:
        rounds.append(sample_grasps(shape.vertices, shape.faces, rng, PAIRS, T_table_object=T_table_object))
    return Candidates(
        np.concatenate([one.T_object_clamp for one in rounds]), np.concatenate([one.opening_m for one in rounds])
    )


def diverse(candidates: Candidates, count: int) -> Candidates:
    """Up to `count` candidates, each the one that differs most from those before it in place and direction (farthest
    point sampling); a grasp is the same as with the fingers exchanged."""
    poses = candidates.T_object_clamp
    closing = poses[:, :3, 0]
    outer = (closing[:, :, None] * closing[:, None, :]).reshape(-1, 9) / np.sqrt(2)
    features = np.concatenate([poses[:, :3, 3] / NEAR_M, poses[:, :3, 2], outer], axis=1)
    chosen, distance = [0], np.full(len(features), np.inf)
    while len(chosen) < min(count, len(features)):
        distance = np.minimum(distance, np.linalg.norm(features - features[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return Candidates(poses[chosen], candidates.opening_m[chosen])


def missing(rng: np.random.Generator) -> np.ndarray:
    """(4, 4) by how much a hand misses, in its own frame."""
    error = np.eye(4)
    error[:3, :3] = Rotation.from_rotvec(rng.normal(0, TURN_ERROR_RAD, 3)).as_matrix()
    error[:3, 3] = rng.normal(0, POSITION_ERROR_M, 3)
    return error
