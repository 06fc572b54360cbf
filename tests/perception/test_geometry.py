"""From hypotheses to adjusted blocks, each with its share of the probability."""

import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import upright

from perception.adjustment import Adjusted, Observations
from perception.angles import difference
from perception.camera import Camera
from perception.geometry import locate
from perception.refinement import Looked
from perception.sight import robot_points

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import ROBOT, Truth

JOINTS = np.array([0.2, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04])
EYES = [
    Camera.looking_at((1.4, 0.6, 0.9), (0.36, 0.0, 0.2), 600.0, 640, 480),
    Camera.looking_at((1.3, -0.8, 1.0), (0.36, 0.0, 0.2), 620.0, 640, 480),
]
BLOCK, OTHER = upright(0.5, 0.12, 0.7), upright(0.42, -0.15, 2.2)


def knowing(block, asked=None):
    """A second look that finds a block where it is, and nothing elsewhere; notes the places that it was asked about."""

    def look(cameras, blocks):
        found = []
        for one in blocks:
            if asked is not None:
                asked.append(one.position)
            there = np.linalg.norm(one.position - block.position) < 0.05
            adjusted = Adjusted(tuple(cameras), block if there else one, np.eye(9) * 1e-6, 0.0, np.zeros(1))
            found.append(Looked(adjusted, np.full(2, 0.98 if there else 0.02)))
        return found

    return look


def located(block=BLOCK, second_look=None, **given):
    """The solutions from two views of a block."""
    case = Truth(block, noise_px=0.2, **given)
    for i, eye in enumerate(EYES):
        case.view(f"camera_{i}", eye, JOINTS)
    looks = case.looks()
    robot = Observations.join([robot_points([look.sight], ROBOT)[0].seen_by(look.number) for look in looks])
    return locate(looks, EYES, robot, second_look=second_look)


def off(found, block):
    """Distance in m and yaw error in rad of a solution."""
    pose = found.adjusted.block
    return np.linalg.norm((pose.position - block.position)[:2]), abs(difference(pose.yaw_rad, block.yaw_rad, np.pi))


def test_one_block_gives_one_solution():
    (found,) = located()
    distance, yaw = off(found, BLOCK)
    assert distance < 0.01 and yaw < np.deg2rad(3)
    np.testing.assert_allclose(found.adjusted.block.size, BLOCK.size, atol=0.008)
    assert found.weight == 1.0
    np.testing.assert_allclose(found.seen, 1.0, atol=0.02)
    assert len(found.adjusted.cameras) == 2


def test_two_blocks_give_two_solutions_by_how_sure_the_networks_are():
    first, second = located(others=[(OTHER, 0.45)])
    assert off(first, BLOCK)[0] < 0.01 and off(second, OTHER)[0] < 0.01
    assert first.weight + second.weight == pytest.approx(1.0)
    assert 0.5 < first.weight < 0.95
    np.testing.assert_allclose(first.seen, 0.55, atol=0.02)
    np.testing.assert_allclose(second.seen, 0.45, atol=0.02)


def test_solutions_come_likeliest_first():
    first, *rest = located(others=[(OTHER, 0.7)])
    assert off(first, OTHER)[0] < 0.01
    assert all(one.weight < first.weight for one in rest)


def test_a_tilted_block_is_found_as_it_lies():
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(0.1), -np.sin(0.1)], [0.0, np.sin(0.1), np.cos(0.1)]])
    leaning = type(BLOCK)(BLOCK.position + np.array((0.0, 0.0, 0.005)), BLOCK.rotation @ tilt, BLOCK.size)
    (found,) = located(leaning)
    assert off(found, leaning)[0] < 0.012
    assert np.arccos(found.adjusted.block.rotation[:, 2] @ leaning.rotation[:, 2]) < 0.09


def test_where_no_view_shows_the_block_there_is_no_solution():
    assert located(without_block={0, 1}) == []


def test_one_view_that_shows_it_is_enough():
    (found,) = located(without_block={0})
    assert off(found, BLOCK)[0] < 0.02
    np.testing.assert_allclose(found.seen, [0.0, 1.0], atol=0.02)


def test_a_second_look_overrules_a_first_one_that_took_another_thing_for_the_block():
    first, *rest = located(others=[(OTHER, 0.7)], second_look=knowing(BLOCK))
    assert off(first, BLOCK)[0] < 1e-6
    np.testing.assert_allclose(first.seen, 0.98)
    assert first.weight > 0.9 and sum(one.weight for one in rest) < 0.1


def test_places_that_are_far_less_likely_are_not_looked_at_once_a_block_was_seen():
    asked = []
    located(others=[(OTHER, 0.001)], second_look=knowing(BLOCK, asked))
    assert asked and all(np.linalg.norm(place - BLOCK.position) < 0.05 for place in asked)


def test_all_places_are_looked_at_while_no_block_was_seen():
    asked = []
    nowhere = upright(0.3, 0.3, 0.0)
    located(others=[(OTHER, 0.4)], second_look=knowing(nowhere, asked))
    for block in (BLOCK, OTHER):
        assert min(np.linalg.norm(place - block.position) for place in asked) < 0.03


def test_a_second_look_that_shows_nothing_leaves_the_first_one():
    def blind(cameras, blocks):
        return [Looked(None, np.zeros(2)) for _ in blocks]

    (found,) = located(second_look=blind)
    assert off(found, BLOCK)[0] < 0.01
    np.testing.assert_allclose(found.seen, 0.0)
