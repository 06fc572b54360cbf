"""Kinematics of the Panda against PyBullet's, and what the robot refuses."""

from pathlib import Path

import numpy as np
import pytest

import perception
from perception.errors import JointStateError, RobotError
from perception.robot import Robot, known_robots

READY = [0.0, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04]


@pytest.fixture(scope="module")
def robot() -> Robot:
    return Robot.load("panda")


def random_joints(robot: Robot, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.uniform(joint.lower, joint.upper) for joint in robot.moving])


def test_every_link_agrees_with_pybullet_on_random_joints(robot: Robot) -> None:
    pybullet = pytest.importorskip("pybullet")
    import pybullet_data

    client = pybullet.connect(pybullet.DIRECT)
    try:
        urdf = str(Path(pybullet_data.getDataPath()) / "franka_panda" / "panda.urdf")
        body = pybullet.loadURDF(urdf, useFixedBase=True, physicsClientId=client)
        count = pybullet.getNumJoints(body, physicsClientId=client)
        infos = [pybullet.getJointInfo(body, i, physicsClientId=client) for i in range(count)]
        index_of_joint = {info[1].decode(): info[0] for info in infos}
        index_of_link = {info[12].decode(): info[0] for info in infos}
        rng = np.random.default_rng(0)
        for _ in range(20):
            joints = random_joints(robot, rng)
            for name, value in zip(robot.joint_names, joints, strict=True):
                pybullet.resetJointState(body, index_of_joint[name], value, physicsClientId=client)
            poses = robot.link_poses(joints)
            for link, index in index_of_link.items():
                ours = poses["clamp" if link == "panda_grasptarget" else link]
                state = pybullet.getLinkState(body, index, computeForwardKinematics=True, physicsClientId=client)
                np.testing.assert_allclose(ours[:3, 3], state[4], atol=1e-6)
                if link != "panda_grasptarget":
                    rotation = np.reshape(pybullet.getMatrixFromQuaternion(state[5]), (3, 3))
                    np.testing.assert_allclose(ours[:3, :3], rotation, atol=1e-6)
    finally:
        pybullet.disconnect(client)


def test_clamp_x_is_the_closing_direction_and_z_points_out_of_the_hand(robot: Robot) -> None:
    poses = robot.link_poses(READY)
    closing = poses["panda_leftfinger"][:3, 3] - poses["panda_rightfinger"][:3, 3]
    np.testing.assert_allclose(poses["clamp"][:3, 0], closing / np.linalg.norm(closing), atol=1e-9)
    np.testing.assert_allclose(poses["clamp"][:3, 2], poses["panda_hand"][:3, 2], atol=1e-9)
    np.testing.assert_allclose(poses["clamp"][:3, 1], -poses["panda_hand"][:3, 0], atol=1e-9)


def test_points_are_placed_in_their_links(robot: Robot) -> None:
    pose = robot.link_pose(READY, "panda_link4")
    placed = robot.points(READY, [("panda_link4", (0.1, 0.0, 0.0)), ("panda_link0", (1.0, 2.0, 3.0))])
    np.testing.assert_allclose(placed, [pose[:3, 3] + 0.1 * pose[:3, 0], [1.0, 2.0, 3.0]])


def test_named_positions_are_put_in_order_and_others_ignored(robot: Robot) -> None:
    names = ["wheel", *reversed(robot.joint_names)]
    np.testing.assert_array_equal(robot.order(names, [7.0, *reversed(READY)]), READY)


def test_seven_values_mean_open_fingers(robot: Robot) -> None:
    np.testing.assert_array_equal(robot.with_open_fingers(READY[:7]), [*READY[:7], 0.04, 0.04])


@pytest.mark.parametrize(
    ("joints", "sentence"),
    [
        (READY[:8], "8 joint positions were given, but panda has 9"),
        ([*READY[:3], float("nan"), *READY[4:]], "joint panda_joint4 is nan"),
        ([*READY[:8], float("inf")], "joint panda_finger_joint2 is inf"),
        ([4.0, *READY[1:]], "panda_joint1 is 4 rad, outside its limits -2.967 to 2.967"),
        ([*READY[:7], 0.1, 0.04], "panda_finger_joint1 is 0.1 m, outside its limits"),
    ],
)
def test_joint_positions_are_refused_in_one_sentence(robot: Robot, joints: list, sentence: str) -> None:
    with pytest.raises(JointStateError) as error:
        robot.check(joints)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_joints_are_named(robot: Robot) -> None:
    names = [name for name in robot.joint_names if name not in ("panda_joint2", "panda_joint5")]
    with pytest.raises(JointStateError, match="no position for panda_joint2, panda_joint5"):
        robot.order(names, [0.0] * 7)


def test_unknown_robots_and_links_are_refused(robot: Robot) -> None:
    with pytest.raises(ValueError, match=r"no robot named 'ur5' \(known: .*panda"):
        Robot.load("ur5")
    with pytest.raises(ValueError, match="no link 'elbow'"):
        robot.link_pose(READY, "elbow")


@pytest.fixture(params=known_robots())
def any_robot(request) -> Robot:
    return Robot.load(request.param)


def test_every_robot_has_an_arm_a_gripper_and_a_clamp(any_robot: Robot) -> None:
    assert sorted([*any_robot.arm, *any_robot.fingers]) == list(range(len(any_robot.joint_names)))
    open_joints = any_robot.with_open_fingers(np.zeros(len(any_robot.arm)))
    closed_joints = open_joints.copy()
    closed_joints[list(any_robot.fingers)] = any_robot.gripper.closed
    assert any_robot.opening_m(closed_joints) < 0.01 < 0.05 < any_robot.opening_m(open_joints)
    np.testing.assert_allclose(np.linalg.det(any_robot.clamp_pose(open_joints)[:3, :3]), 1)


def test_joints_that_mimic_another_follow_it() -> None:
    robot = Robot.load("xarm6")
    assert "left_finger_joint" not in robot.joint_names and len(robot.joint_names) == 7
    still, moved = (robot.link_poses([0, 0, 0, 0, 0, 0, value]) for value in (0.0, 0.5))
    turn = moved["left_outer_knuckle"][:3, :3] @ still["left_outer_knuckle"][:3, :3].T
    assert np.arccos((np.trace(turn) - 1) / 2) == pytest.approx(0.5)
    np.testing.assert_allclose(moved["left_finger"][:3, :3], still["left_finger"][:3, :3], atol=1e-12)
    across = still["left_finger"][:3, 3] - still["right_finger"][:3, 3]
    assert np.linalg.norm(moved["left_finger"][:3, 3] - moved["right_finger"][:3, 3]) < np.linalg.norm(across) - 0.02


def test_a_chain_is_read_from_a_file_or_a_folder_and_a_bad_one_is_named(tmp_path: Path) -> None:
    shipped = Path(perception.__file__).parent / "robots" / "panda.yaml"
    text = shipped.read_text(encoding="utf-8")
    (tmp_path / "chain.yaml").write_text(text)
    for place in (tmp_path, tmp_path / "chain.yaml"):
        assert Robot.load(place).chain == Robot.load("panda").chain
    for old, new, words in (
        ("parent: panda_link3,", "parent: panda_link9,", "joint panda_joint4 hangs on panda_link9"),
        ("child: clamp,", "child: clump,", "there is no link clamp"),
        ("type: revolute", "type: rotary", "joints.0.type"),
        ("joints: [panda_finger_joint1,", "joints: [panda_finger,", "gripper's joint panda_finger is not"),
        ("name: panda\n", "name: [panda\n", "cannot be read"),
    ):
        bad = tmp_path / f"{abs(hash(new))}.yaml"
        bad.write_text(text.replace(old, new, 1))
        with pytest.raises(RobotError) as refused:
            Robot.load(bad)
        assert words in str(refused.value) and bad.name in str(refused.value)
    with pytest.raises(RobotError, match="cannot be read"):
        Robot.load(tmp_path / "gone.yaml")
