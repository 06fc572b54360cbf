"""What is inside what, and how deep, against scenes where that is known."""

from dataclasses import replace

import numpy as np
import pytest

from sim.collisions import overlaps
from sim.randomization import sample_scene
from sim.robots import load_robot
from sim.scene import DISTRACTOR, SUPPORT, Block, Body, Material

GRAY = Material((0.5, 0.5, 0.5))
BLOCK = Block((0.09, 0.04, 0.05), 0.5, 0.2, 0.0, GRAY)


@pytest.fixture(scope="module")
def calm():
    """A robot at home, far above a block on a plane."""
    scene = sample_scene("coarse", 0, 0)
    plane = Body("plane", np.eye(4), GRAY, SUPPORT, (4.0, 4.0, 1.0))
    return replace(scene, joints=load_robot("panda").home, block=BLOCK, bodies=(plane,))


def box_at(place, size=(0.04, 0.04, 0.04), number=0) -> Body:
    pose = np.eye(4)
    pose[:3, 3] = place
    return Body("box", pose, GRAY, DISTRACTOR + number, size)


def with_bodies(scene, *bodies):
    return replace(scene, bodies=(*scene.bodies, *bodies))


def test_nothing_is_inside_anything_in_a_calm_scene(calm):
    assert overlaps(calm) == []


def test_the_depth_is_that_of_the_nearest_way_out(calm):
    beside = box_at((BLOCK.x_m, BLOCK.y_m + 0.02 + 0.02 - 0.007, 0.02), number=3)
    (found,) = overlaps(with_bodies(calm, beside))
    assert {found.first, found.second} == {"block", "distractor 3"}
    assert found.depth_mm == pytest.approx(7.0, abs=0.3)
    assert str(found).endswith("are 7.0 mm inside each other")


def test_what_only_touches_is_not_inside(calm):
    assert overlaps(with_bodies(calm, box_at((BLOCK.x_m, BLOCK.y_m + 0.04, 0.02)))) == []


def test_a_thing_sunk_into_the_plane_is_found(calm):
    (found,) = overlaps(with_bodies(calm, box_at((0.3, -0.3, 0.015))))
    assert (found.first, found.second) == ("distractor 0", "support")
    assert found.depth_mm == pytest.approx(5.0, abs=0.3)


def test_a_link_in_a_distractor_is_named(calm):
    hand = load_robot("panda").robot.link_pose(calm.joints, "panda_hand")[:3, 3]
    found = overlaps(with_bodies(calm, box_at(hand)))
    assert ("link panda_hand", "distractor 0") in {(one.first, one.second) for one in found}
    assert [one.depth_mm for one in found] == sorted((one.depth_mm for one in found), reverse=True)


def test_a_hand_in_the_table_is_found_but_the_foot_on_it_is_not(calm):
    low = calm.joints.copy()
    low[1], low[3] = 1.2, -1.0
    names = {(one.first, one.second) for one in overlaps(replace(calm, joints=low))}
    assert any(first.startswith("link") and second == "support" for first, second in names)
    assert ("link panda_link0", "support") not in names


def test_a_corner_far_below_uneven_ground_is_found(calm):
    ground = Body("terrain/mounds/1", np.eye(4), GRAY, SUPPORT, (1.0, 1.0, 0.02))
    deep = box_at((0.5, -0.2, -0.08))
    found = overlaps(replace(calm, bodies=(ground, deep)))
    (depth,) = [one.depth_mm for one in found if one.first == "distractor 0"]
    assert depth > 50.0


@pytest.mark.parametrize("robot", ["panda", "iiwa_wsg50", "xarm6"])
def test_a_robot_at_home_meets_nothing(calm, robot):
    description = load_robot(robot)
    scene = replace(calm, robot=robot, joints=description.home)
    assert overlaps(scene, description=description) == []


def test_an_arm_folded_into_itself_is_found(calm):
    folded = calm.joints.copy()
    folded[1], folded[3], folded[5] = 0.0, -3.05, 0.0
    pairs = [(one.first, one.second) for one in overlaps(replace(calm, joints=folded))]
    assert any(first.startswith("link") and second.startswith("link") for first, second in pairs)
