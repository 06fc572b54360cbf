"""Scenes are plain data, each stream of random numbers its own, and joint positions those of a clamp's pose."""

import subprocess
import sys

import numpy as np
import pytest

from sim.inverse_kinematics import hover_pose, solve
from sim.random_streams import stream
from sim.robots import RobotDescription, load_robot


@pytest.fixture(scope="module")
def panda() -> RobotDescription:
    return load_robot("panda")


def test_streams_differ_by_seed_index_and_purpose():
    draws = [
        stream(*key).random() for key in ((0, 0, "light"), (1, 0, "light"), (0, 1, "light"), (0, 0, "camera"))
    ]
    assert len(set(draws)) == 4
    assert stream(0, 0, "light").random() == draws[0]


def test_a_hover_pose_is_a_rotation_that_points_down():
    for yaw in np.linspace(-3, 3, 7):
        pose = hover_pose((0.4, 0.1, 0.2), yaw)
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert pose[:3, 2] == pytest.approx([0, 0, -1])
        assert np.arctan2(pose[1, 0], pose[0, 0]) == pytest.approx(yaw)
        assert pose[:3, 3] == pytest.approx([0.4, 0.1, 0.2])


def test_inverse_kinematics_undoes_the_forward_kinematics(panda):
    rng = np.random.default_rng(0)
    for _ in range(20):
        joints = panda.home.copy()
        joints[:7] += rng.uniform(-0.4, 0.4, 7)
        target = panda.robot.clamp_pose(joints)
        found = solve(panda.robot, target, panda.home)
        assert found is not None
        reached = panda.robot.clamp_pose(panda.robot.check(found))
        assert np.linalg.norm(reached[:3, 3] - target[:3, 3]) < 2e-4
        assert np.linalg.norm(reached[:3, :3] - target[:3, :3]) < 2e-3
        assert np.array_equal(found[7:], panda.home[7:])


def test_inverse_kinematics_gives_none_out_of_reach(panda):
    assert solve(panda.robot, hover_pose((1.5, 0.0, 0.2), 0.0), panda.home) is None


def test_the_simulator_starts_without_a_word():
    said = subprocess.run(
        [sys.executable, "-c", "import sim.renderers.tiny, sim.world"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout, said.stderr) == ("", "")
