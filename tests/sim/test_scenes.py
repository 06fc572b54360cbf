"""Scenes, textures and joint positions are functions of their seeds, and lie within their ranges."""

import subprocess
import sys

import numpy as np
import pytest

from perception.robot import Robot
from sim import randomization
from sim.inverse_kinematics import hover_pose, solve
from sim.random_streams import stream
from sim.randomization import REST, sample_scene
from sim.textures import texture


@pytest.fixture(scope="module")
def robot() -> Robot:
    return Robot.load("panda")


def same(one, other) -> bool:
    return repr(one) == repr(other)


@pytest.mark.parametrize("task", ["coarse", "tool", "fine"])
def test_a_scene_is_a_function_of_task_seed_and_index(task, robot):
    first = sample_scene(task, 4, 9, robot=robot)
    sample_scene(task, 4, 8, robot=robot)
    assert same(first, sample_scene(task, 4, 9, robot=robot))
    assert not same(first.block, sample_scene(task, 4, 10, robot=robot).block)
    assert not same(first.block, sample_scene(task, 5, 9, robot=robot).block)


def test_one_purpose_does_not_disturb_another(robot, monkeypatch):
    first = sample_scene("coarse", 4, 2, views=1, robot=robot)
    more = sample_scene("coarse", 4, 2, views=3, robot=robot)
    assert same(first.cameras[0], more.cameras[0])
    assert same((first.block, first.light, first.plane), (more.block, more.light, more.plane))
    monkeypatch.setattr(randomization, "_light", lambda rng: rng.random(100))
    changed = sample_scene("coarse", 4, 2, views=1, robot=robot)
    assert same((first.block, first.cameras, first.plane), (changed.block, changed.cameras, changed.plane))
    assert np.array_equal(first.joints, changed.joints)


def test_streams_differ_by_seed_index_and_purpose():
    draws = [
        stream(*key).random() for key in ((0, 0, "light"), (1, 0, "light"), (0, 1, "light"), (0, 0, "camera"))
    ]
    assert len(set(draws)) == 4
    assert stream(0, 0, "light").random() == draws[0]


def test_blocks_are_of_the_sizes_and_within_the_reach_that_are_promised(robot):
    for index in range(60):
        block = sample_scene("coarse", 6, index, views=1, robot=robot).block
        length, width, height = block.size_m
        assert 0.06 <= length <= 0.12
        assert 0.025 <= width <= 0.055
        assert 0.03 <= height <= 0.06
        assert length >= 1.3 * width
        assert 0.34 <= np.hypot(block.x_m, block.y_m) <= 0.64
        assert 0 <= block.yaw_rad < np.pi


def test_close_ups_hover_within_the_range_of_the_fine_bins(robot):
    for index in range(20):
        scene = sample_scene("fine", 6, index, views=1, robot=robot)
        clamp = robot.clamp_pose(robot.check(scene.joints))
        assert clamp[2, 2] == pytest.approx(-1, abs=1e-4)
        assert np.abs(clamp[:2, 3] - (scene.block.x_m, scene.block.y_m)).max() <= 0.0552
        assert 0.0795 <= clamp[2, 3] <= 0.2005


def test_cameras_see_the_block(robot):
    inside = []
    for index in range(40):
        scene = sample_scene("coarse", 6, index, robot=robot)
        for camera in scene.cameras:
            (u, v), depth = camera.project(np.array([scene.block.x_m, scene.block.y_m, 0.0]))
            inside.append(depth > 0 and 0 < u < camera.width and 0 < v < camera.height)
    assert np.mean(inside) > 0.95


def test_textures_are_functions_of_their_seed():
    assert np.array_equal(texture(5), texture(5))
    assert not np.array_equal(texture(5), texture(6))
    for seed in range(30):
        image = texture(seed)
        assert (image.shape, image.dtype) == ((128, 128, 3), np.uint8)


def test_a_hover_pose_is_a_rotation_that_points_down():
    for yaw in np.linspace(-3, 3, 7):
        pose = hover_pose((0.4, 0.1, 0.2), yaw)
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert pose[:3, 2] == pytest.approx([0, 0, -1])
        assert np.arctan2(pose[1, 0], pose[0, 0]) == pytest.approx(yaw)
        assert pose[:3, 3] == pytest.approx([0.4, 0.1, 0.2])


def test_inverse_kinematics_undoes_the_forward_kinematics(robot):
    rng = np.random.default_rng(0)
    for _ in range(20):
        joints = REST.copy()
        joints[:7] += rng.uniform(-0.4, 0.4, 7)
        target = robot.clamp_pose(joints)
        found = solve(robot, target, REST)
        assert found is not None
        reached = robot.clamp_pose(robot.check(found))
        assert np.linalg.norm(reached[:3, 3] - target[:3, 3]) < 2e-4
        assert np.linalg.norm(reached[:3, :3] - target[:3, :3]) < 2e-3
        assert np.array_equal(found[7:], REST[7:])


def test_inverse_kinematics_gives_none_out_of_reach(robot):
    assert solve(robot, hover_pose((1.5, 0.0, 0.2), 0.0), REST) is None


def test_the_simulator_starts_without_a_word():
    said = subprocess.run(
        [sys.executable, "-c", "import sim.renderers.tiny, sim.world"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout, said.stderr) == ("", "")
