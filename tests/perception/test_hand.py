"""A hand as boxes tells which points of an object are in it, for one grasp and for many."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perception.hand import PANDA, frames, mirrored

BETWEEN, IN_FINGER, IN_OTHER, IN_PALM = (0, 0, 0), (0.025, 0, 0), (-0.025, 0, 0), (0, 0, -0.06)
POINTS = np.array([BETWEEN, IN_FINGER, IN_OTHER, IN_PALM, (0, 0, 0.02)])


def random_poses(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, random_state=1).as_matrix()
    poses[:, :3, 3] = rng.normal(0, 0.1, (count, 3))
    return poses


def test_points_in_fingers_and_palm_are_found_and_those_between_are_not():
    assert PANDA.penetration(POINTS, np.eye(4), 0.04).tolist() == [False, True, True, True, False]


def test_a_wider_hand_clears_the_fingers_and_a_closed_one_meets_what_is_between():
    assert PANDA.penetration(POINTS, np.eye(4), 0.08).tolist() == [False, False, False, True, False]
    assert PANDA.penetration(POINTS + np.array([0.001, 0, 0]), np.eye(4), 0.0)[0]


def test_the_answer_moves_with_hand_and_object():
    for pose in random_poses(5):
        moved = POINTS @ pose[:3, :3].T + pose[:3, 3]
        assert PANDA.penetration(moved, pose, 0.04).tolist() == [False, True, True, True, False]


def test_many_grasps_give_what_each_gives_alone():
    rng, poses = np.random.default_rng(2), random_poses(40)
    openings, points = rng.uniform(0.01, 0.08, 40), rng.normal(0, 0.1, (500, 3))
    many = PANDA.penetration(points, poses, openings)
    alone = [PANDA.penetration(points, pose, opening) for pose, opening in zip(poses, openings, strict=True)]
    assert many.any() and np.array_equal(many, alone)


def test_a_margin_makes_the_hand_larger():
    near = np.array([(0.0195, 0.0, 0.0)])
    assert not PANDA.penetration(near, np.eye(4), 0.04)[0]
    assert PANDA.penetration(near, np.eye(4), 0.04, margin_m=0.001)[0]


def test_the_lowest_corner_of_a_hand_that_points_down_is_its_finger_tips():
    down = np.diag([1.0, -1.0, -1.0, 1.0])
    down[2, 3] = 0.1
    assert PANDA.lowest(down[None], 0.05) == pytest.approx(0.1 - PANDA.depth_m)
    assert PANDA.lowest(np.eye(4)[None], 0.05) == pytest.approx(-0.16)


def test_exchanged_fingers_are_half_a_turn_about_the_approach():
    pose = random_poses(1)[0]
    assert mirrored(pose) == pytest.approx(pose @ np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_frames_are_right_handed():
    made = frames(np.array([(0.0, 1, 0)]), np.array([(0.0, 0, -1)]), np.array([(1.0, 2, 3)]))[0]
    assert np.linalg.det(made[:3, :3]) == pytest.approx(1)
    assert made[:3, 3].tolist() == [1, 2, 3] and made[:3, 2].tolist() == [0, 0, -1]
