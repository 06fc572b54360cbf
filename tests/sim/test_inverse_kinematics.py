"""Inverse kinematics and planning, for every robot."""

import numpy as np
import pytest
from fixtures_robot import write_toy
from scipy.spatial.transform import Rotation

from sim.inverse_kinematics import _way_to_clamp, facing, hover_pose, rotation_vector, solve
from sim.motion import CLEARANCE_M, Planner
from sim.robots import known_descriptions, load_robot


@pytest.fixture(scope="module", params=[*known_descriptions(), "toy"])
def robot(request, tmp_path_factory):
    if request.param == "toy":
        return load_robot(write_toy(tmp_path_factory.mktemp("robot")))
    return load_robot(request.param)


def somewhere(robot, rng):
    while True:
        x, y = rng.uniform(*robot.workspace_x_m), rng.uniform(*robot.workspace_y_m)
        if robot.reach_m[0] <= np.hypot(x, y) <= robot.reach_m[1]:
            return np.array([x, y, rng.uniform(*robot.hover_height_m)])


def test_the_jacobian_is_the_derivative_of_the_clamps_pose(robot):
    way, rng = _way_to_clamp(robot.robot), np.random.default_rng(0)
    arm = rng.uniform(way.lower, way.upper)
    clamp, jacobian = way.differentiate(arm)
    joints = robot.home.copy()
    joints[list(robot.arm)] = arm
    np.testing.assert_allclose(clamp, robot.robot.clamp_pose(joints), atol=1e-9)
    for i in range(len(arm)):
        moved = arm.copy()
        moved[i] += 1e-6
        after = way.differentiate(moved)[0]
        turn = rotation_vector(after[:3, :3] @ clamp[:3, :3].T)
        change = np.concatenate([after[:3, 3] - clamp[:3, 3], turn]) / 1e-6
        np.testing.assert_allclose(jacobian[:, i], change, atol=1e-4)


def test_it_undoes_the_forward_kinematics_and_keeps_the_gripper(robot):
    rng, found = np.random.default_rng(1), 0
    for _ in range(20):
        joints = robot.home.copy()
        joints[list(robot.arm)] += 0.5 * robot.arm_spread_rad * rng.uniform(-1, 1, len(robot.arm))
        target = robot.robot.clamp_pose(np.clip(joints, robot.lower, robot.upper))
        start = robot.home.copy()
        start[list(robot.fingers)] = np.mean(robot.opening)
        answer = solve(robot.robot, target, start)
        if answer is not None:
            found += 1
            reached = robot.robot.clamp_pose(robot.robot.check(answer))
            assert np.linalg.norm(reached[:3, 3] - target[:3, 3]) < 2e-4
            assert np.linalg.norm(rotation_vector(reached[:3, :3] @ target[:3, :3].T)) < 1e-3
            np.testing.assert_array_equal(answer[list(robot.fingers)], start[list(robot.fingers)])
    assert found >= 14


def test_what_is_out_of_reach_gives_none(robot):
    assert solve(robot.robot, hover_pose((1.8, 0.0, 0.2), 0.0), robot.home) is None


def test_a_facing_posture_turns_towards_the_place_and_the_yaw(robot):
    rng = np.random.default_rng(2)
    for _ in range(10):
        place, yaw = somewhere(robot, rng), rng.uniform(-np.pi, np.pi)
        clamp = robot.robot.clamp_pose(facing(robot, place, yaw))
        assert np.arctan2(clamp[1, 3], clamp[0, 3]) == pytest.approx(np.arctan2(place[1], place[0]), abs=0.01)
        off = (np.arctan2(clamp[1, 0], clamp[0, 0]) - yaw + np.pi / 2) % np.pi - np.pi / 2
        assert abs(off) < 0.01  # or half a turn from it, where the last joint ends


def test_home_is_not_moved_by_those_who_use_it(robot):
    before = robot.home.copy()
    facing(robot, (0.4, 0.2, 0.1), 1.0)
    solve(robot.robot, hover_pose((0.4, 0.2, 0.1), 1.0), robot.home)
    np.testing.assert_array_equal(robot.home, before)
    with pytest.raises(ValueError, match="read-only"):
        robot.home[0] = 1.0


def test_rotation_vectors_are_those_of_scipy():
    turns = Rotation.random(200, random_state=0).as_rotvec()
    axis = np.array([0.6, -0.8, 0.0])
    for turn in (*turns, 1e-9 * axis, 1e-5 * axis, (np.pi - 1e-5) * axis, np.pi * axis):
        found = rotation_vector(Rotation.from_rotvec(turn).as_matrix())
        np.testing.assert_allclose(
            Rotation.from_rotvec(found).as_matrix(), Rotation.from_rotvec(turn).as_matrix(), atol=1e-8
        )
        assert np.linalg.norm(found) <= np.pi + 1e-9


def test_plans_reach_and_never_sweep_over_the_support(robot):
    planner, rng, joints = Planner(robot), np.random.default_rng(3), robot.home
    for _ in range(8):
        place, yaw = somewhere(robot, rng), rng.uniform(-np.pi, np.pi)
        place[2] = max(place[2], CLEARANCE_M + 0.01)
        path = planner.plan(joints, place, yaw)
        assert path is not None
        for arm in planner.timed(path, 1 / 20):
            joints = joints.copy()
            joints[list(robot.arm)] = arm
            assert robot.robot.clamp_pose(joints)[2, 3] > CLEARANCE_M - 0.02
        clamp = robot.robot.clamp_pose(joints)
        np.testing.assert_allclose(clamp[:3, 3], place, atol=1e-3)
        off = (np.arctan2(clamp[1, 0], clamp[0, 0]) - yaw + np.pi / 2) % np.pi - np.pi / 2
        assert abs(off) < 0.01
