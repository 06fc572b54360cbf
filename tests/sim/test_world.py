"""The simulated world: grasps with the true pose succeed, what is out of reach is told, equal calls agree."""

import dataclasses

import numpy as np
import pytest

from perception.errors import BlockworldError
from perception.grasp import closing_yaw
from perception.world import BlockTruth, World
from sim.collisions import overlaps
from sim.randomization import preset
from sim.robots import load_robot
from sim.scene import DISTRACTOR
from sim.world import MOST_TILT_RAD, PybulletWorld

HOVER_M, GRASP_M, LIFT_M, OPEN_M = 0.12, 0.02, 0.15, 0.08


@pytest.fixture(scope="module")
def world():
    opened = PybulletWorld()
    yield opened
    opened.close()


def grasp(world: World, truth: BlockTruth) -> bool:
    """The procedure of the picking node at a given pose; whether the block is held at the end."""
    yaw = closing_yaw(truth.yaw_rad, 0.0)
    for height, turn, opening in (
        (HOVER_M, 0.0, OPEN_M),
        (HOVER_M, yaw, OPEN_M),
        (GRASP_M, yaw, OPEN_M),
        (GRASP_M, yaw, 0.0),
        (GRASP_M + LIFT_M, yaw, 0.0),
    ):
        moved = world.move_clamp(np.array([truth.x_m, truth.y_m, height]), turn, opening)
        assert moved.reached, moved.message
    return moved.holding


def test_it_keeps_the_contract(world):
    assert isinstance(world, World)
    assert world.camera_names == ("camera_1", "camera_2", "camera_3")
    assert world.joint_names[0] == "panda_joint1"
    assert len(world.joint_names) == world.joint_positions().size == 9


def test_grasps_at_the_true_pose_lift_the_block(world):
    lifted = 0
    for index in range(10):
        world.reset(11, index)
        held = grasp(world, world.block_truth())
        truth = world.block_truth()
        assert truth.lifted == held, "the fingers hold exactly what is in the air"
        lifted += truth.lifted
    assert lifted >= 9


def test_a_grasp_beside_the_block_holds_nothing(world):
    world.reset(11, 0)
    truth = world.block_truth()
    away = np.hypot(truth.x_m, truth.y_m)
    beside = dataclasses.replace(truth, x_m=truth.x_m * (1 - 0.12 / away), y_m=truth.y_m * (1 - 0.12 / away))
    assert not grasp(world, beside)
    assert not world.block_truth().lifted


def test_the_clamp_gets_where_it_is_sent(world):
    world.reset(11, 1)
    moved = world.move_clamp(np.array([0.45, 0.1, 0.3]), 0.4, 0.05)
    assert (moved.reached, moved.message) == (True, "")
    assert moved.position_m == pytest.approx([0.45, 0.1, 0.3], abs=1e-3)
    assert (moved.yaw_rad - 0.4 + 0.1) % np.pi == pytest.approx(0.1, abs=0.01), "or half a turn from it"
    assert moved.opening_m == pytest.approx(0.05, abs=1e-3)
    assert not moved.holding


def test_a_target_out_of_reach_is_refused_with_the_distance(world):
    world.reset(11, 2)
    before = world.joint_positions(), world.state_id
    moved = world.move_clamp(np.array([1.5, 0.0, 0.2]), 0.0, OPEN_M)
    assert not moved.reached
    assert "does not reach (1.500, 0.000, 0.200) m" in moved.message
    distance = np.linalg.norm(moved.position_m - (1.5, 0.0, 0.2))
    assert f"{distance:.2f} m away" in moved.message
    assert np.array_equal(world.joint_positions(), before[0])
    assert world.state_id == before[1], "nothing moved, so nothing looks different"


def test_a_clamp_that_meets_the_support_says_how_far_it_got(world):
    world.reset(11, 3)
    moved = world.move_clamp(np.array([0.4, -0.35, -0.04]), 0.0, OPEN_M)
    assert not moved.reached
    assert "something is in its way" in moved.message
    assert moved.position_m[2] > -0.005


def test_equal_calls_give_equal_worlds(world):
    def episode(other: World) -> list[np.ndarray]:
        other.reset(11, 4)
        truth = other.block_truth()
        results = [other.joint_positions(), other.image("camera_2")]
        grasp(other, truth)
        other.home()
        end = other.block_truth()
        return [*results, other.joint_positions(), np.array([end.x_m, end.y_m, end.z_m, end.yaw_rad])]

    first = episode(world)
    world.reset(11, 5)
    world.home()
    for one, other in zip(first, episode(world), strict=True):
        assert np.array_equal(one, other)


def test_images_have_the_right_form_and_show_what_moved(world):
    world.reset(11, 6)
    before = world.image("camera_1")
    assert (before.shape, before.dtype) == ((480, 640, 3), np.uint8)
    state = world.state_id
    assert np.array_equal(world.image("camera_1"), before)
    assert world.state_id == state, "looking changes nothing"
    world.home()
    assert world.state_id != state
    assert (world.image("camera_1") != before).any(axis=2).mean() > 0.01
    with pytest.raises(BlockworldError, match="there is no camera 'camera_9'"):
        world.image("camera_9")


def test_home_leaves_the_block_where_it_is(world):
    world.reset(11, 7)
    before = world.block_truth()
    world.move_clamp(np.array([before.x_m, before.y_m, HOVER_M]), 0.0, OPEN_M)
    for _ in range(3):
        assert world.home().reached
    after = world.block_truth()
    assert np.hypot(after.x_m - before.x_m, after.y_m - before.y_m) < 1e-4


@pytest.mark.parametrize("robot", ["iiwa_wsg50", "xarm6"])
def test_another_robot_lifts_the_block_too(robot):
    world = PybulletWorld(11, 1, robot=robot)
    try:
        assert isinstance(world, World)
        assert world.joint_names == load_robot(robot).robot.joint_names
        assert grasp(world, world.block_truth())
        assert world.block_truth().lifted
        assert world.home().message == ""
    finally:
        world.close()


@pytest.mark.parametrize("renderer", ["auto", "tiny"])
def test_the_scene_as_it_is_now_is_what_the_camera_shows(renderer):
    world = PybulletWorld(11, 2, renderer=renderer)
    try:
        truth = world.block_truth()
        world.move_clamp(np.array([truth.x_m, truth.y_m, HOVER_M]), 0.0, OPEN_M)
        scene = world.scene()
        assert np.array_equal(scene.joints, world.joint_positions())
        assert world.image("camera_3").shape == (480, 640, 3)
    finally:
        world.close()


@pytest.fixture(scope="module")
def field():
    opened = PybulletWorld(11, 3, config=preset("field"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def crowd():
    opened = PybulletWorld(11, 0, config=preset("adv"))
    yield opened
    opened.close()


def test_on_uneven_ground_blocks_lie_on_their_bottom(field):
    heights = []
    for index in range(6):
        field.reset(702, index)
        pose = field.scene().block.T_base_block
        assert np.arccos(pose[2, 2]) < MOST_TILT_RAD
        heights.append(field.block_truth().z_m)
    assert min(heights) < -0.001 and max(heights) > 0.004, "not all on the plane"


def test_ground_that_lets_no_block_lie_is_refused(monkeypatch):
    monkeypatch.setattr("sim.world.MOST_TILT_RAD", 0.0)
    monkeypatch.setattr("sim.world.SCENES", 2)
    with pytest.raises(BlockworldError, match="in none of 2 scenes does the block stay on its bottom"):
        PybulletWorld(11, 0, config=preset("field"))


@pytest.mark.parametrize("name", ["field", "crowd"])
def test_the_arm_starts_and_rests_clear_of_all_that_lies_around(name, request):
    world = request.getfixturevalue(name)
    for index in range(4):
        world.reset(702, index)
        for _ in range(2):
            inside = [one for one in overlaps(world.scene()) if "link" in f"{one.first} {one.second}"]
            assert not inside
            assert world.home().reached


def test_what_lies_around_moves_when_it_is_pushed_and_is_seen_where_it_went(crowd):
    crowd.reset(702, 1)
    before, state = crowd.scene().bodies, crowd.state_id
    number, thing = next(
        (number, body)
        for number, body in enumerate(before)
        if body.label >= DISTRACTOR and 0.35 < np.hypot(*body.pose[:2, 3]) < 0.6 and "sheet" not in body.mesh
    )
    x, y, _ = thing.pose[:3, 3]
    for side in (-0.12, 0.12):
        crowd.move_clamp(np.array([x, y + side, 0.03]), 0.0, 0.0)
    moved = crowd.scene().bodies[number].pose
    assert np.linalg.norm(moved[:2, 3] - (x, y)) > 0.02
    assert crowd.state_id > state
    for one, other in zip(before, crowd.scene().bodies, strict=True):
        assert one.label >= DISTRACTOR or np.array_equal(one.pose, other.pose)


def test_where_one_turn_of_the_wrist_ends_at_its_limit_the_other_one_is_taken(world):
    world.reset(703, 5)
    assert grasp(world, world.block_truth())


def test_on_uneven_ground_things_lie_at_rest_from_the_start():
    world = PybulletWorld(11, 3, config=preset("field"))
    try:
        before = world.block_truth()
        assert world.home().reached
        after = world.block_truth()
        assert np.hypot(after.x_m - before.x_m, after.y_m - before.y_m) < 2e-3
        assert not after.lifted
    finally:
        world.close()
