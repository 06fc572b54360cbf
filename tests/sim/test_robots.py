"""What holds for every robot that comes with Blockworld."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import perception
from perception.robot import Robot, known_robots
from sim.inverse_kinematics import facing, hover_pose, solve
from sim.meshes import load_mesh
from sim.robots import known_descriptions, load_robot
from sim.robots.chains import chain_text
from sim.robots.schema import FOLDER, read_description
from sim.robots.sources import data_folder

CHAINS = Path(perception.__file__).parent / "robots"
MOST_TRIANGLES = 10_000


@pytest.fixture(scope="module", params=known_descriptions())
def robot(request):
    return load_robot(request.param)


@pytest.fixture
def bullet():
    pybullet = pytest.importorskip("pybullet")
    client = pybullet.connect(pybullet.DIRECT)
    yield pybullet
    pybullet.disconnect(client)


def random_joints(robot, rng):
    return rng.uniform(robot.lower, robot.upper)


def set_joints(bullet, body, robot, joints):
    """Put PyBullet's robot there, joints that mimic others included; link name -> index."""
    values = dict(zip(robot.robot.joint_names, joints, strict=True))
    for joint in robot.robot.mimics:
        values[joint.name] = joint.mimic.multiplier * values[joint.mimic.joint] + joint.mimic.offset
    links = {}
    for index in range(bullet.getNumJoints(body)):
        info = bullet.getJointInfo(body, index)
        links[info[12].decode()] = index
        if info[1].decode() in values:
            bullet.resetJointState(body, index, values[info[1].decode()])
    return links


def frame_of(bullet, body, index):
    state = bullet.getLinkState(body, index, computeForwardKinematics=True)
    pose = np.eye(4)
    pose[:3, :3] = np.reshape(bullet.getMatrixFromQuaternion(state[5]), (3, 3))
    pose[:3, 3] = state[4]
    return pose


def surface(robot, links, joints, per_triangle=6):
    """Points (N, 3) spread over the parts on these links, base frame."""
    poses, weights = robot.robot.link_poses(joints), np.random.default_rng(0).dirichlet(np.ones(3), per_triangle)
    points = []
    for part in robot.parts:
        if part.link in links:
            mesh, pose = load_mesh(part.mesh), poses[part.link]
            corners = mesh.vertices[mesh.faces] @ pose[:3, :3].T + pose[:3, 3]
            points.append(np.einsum("kc,tcx->tkx", weights, corners).reshape(-1, 3))
    return np.concatenate(points)


def with_fingers(robot, value):
    joints = robot.home.copy()
    joints[list(robot.fingers)] = value
    return joints


def test_both_packages_know_the_same_robots():
    assert known_robots() == known_descriptions()
    assert {"panda", "iiwa_wsg50", "xarm6"} <= set(known_robots())


def test_the_chain_that_perception_reads_is_the_one_that_an_import_writes(robot):
    urdf = read_description(FOLDER / f"{robot.name}.yaml").urdf
    assert chain_text(robot.robot.chain, urdf) == (CHAINS / f"{robot.name}.yaml").read_text(encoding="utf-8")
    assert Robot.load(robot.name).chain == robot.robot.chain


def test_every_link_is_where_pybullet_puts_it(robot, bullet):
    body = bullet.loadURDF(str(robot.urdf), useFixedBase=True)
    rng = np.random.default_rng(1)
    for _ in range(5):
        joints = random_joints(robot, rng)
        links, poses = set_joints(bullet, body, robot, joints), robot.robot.link_poses(joints)
        assert set(links) == set(poses) - {robot.robot.base}
        for link, index in links.items():
            np.testing.assert_allclose(frame_of(bullet, body, index), poses[link], atol=2e-6)


def test_the_original_files_agree(robot, bullet):
    """The arm as PyBullet reads it from pybullet_data, before anything of ours has touched it."""
    fields = read_description(FOLDER / f"{robot.name}.yaml")
    original = data_folder() / fields.urdf.removeprefix("pybullet_data://")
    body = bullet.loadURDF(str(original), useFixedBase=True)
    joints = random_joints(robot, np.random.default_rng(2))
    links, poses = set_joints(bullet, body, robot, joints), robot.robot.link_poses(joints)
    shared = set(links) & set(poses) - {robot.robot.base}
    assert len(shared) >= 6
    for link in shared:
        np.testing.assert_allclose(frame_of(bullet, body, links[link]), poses[link], atol=2e-6)


def test_a_gripper_of_an_sdf_file_moves_as_in_pybullet(bullet):
    robot = load_robot("iiwa_wsg50")
    gripper = bullet.loadSDF(str(data_folder() / "gripper" / "wsg50_one_motor_gripper_new.sdf"))[0]
    for value in (0.0, 0.02, 0.05):
        joints = with_fingers(robot, value)
        links, poses = set_joints(bullet, gripper, robot, joints), robot.robot.link_poses(joints)
        hand = np.linalg.inv(frame_of(bullet, gripper, links["base_link"]))
        for link in ("gripper_left", "gripper_right", "finger_left", "finger_right"):
            ours = np.linalg.inv(poses["base_link"]) @ poses[link]
            np.testing.assert_allclose(hand @ frame_of(bullet, gripper, links[link]), ours, atol=1e-5)


def test_the_clamp_lies_between_the_finger_tips_and_x_is_the_closing_direction(robot):
    for value in np.linspace(*robot.opening, 5):
        joints = with_fingers(robot, value)
        to_clamp = np.linalg.inv(robot.robot.clamp_pose(joints))
        first, second = robot.robot.points(joints, robot.tips) @ to_clamp[:3, :3].T + to_clamp[:3, 3]
        np.testing.assert_allclose((first + second)[:2] / 2, 0, atol=1e-4)
        assert abs(first[2] + second[2]) / 2 < 0.015  # a gripper of knuckles moves its tips in z too
        np.testing.assert_allclose((second - first)[1:], 0, atol=1e-4)


def test_z_of_the_clamp_points_out_of_the_hand(robot):
    pose = robot.robot.clamp_pose(robot.home)
    hand = surface(robot, set(robot.robot.links) - {robot.robot.base}, robot.home)
    nearby = hand[np.linalg.norm(hand - pose[:3, 3], axis=1) < 0.15]
    along = (nearby - pose[:3, 3]) @ pose[:3, 2]
    assert along.max() < 0.02 and along.mean() < -0.02


def test_the_gripper_opens_as_far_as_its_fingers_are_apart(robot):
    """Between the meshes themselves, where they meet what is held."""
    for value in (robot.opening[1], np.mean(robot.opening), robot.opening[0]):
        joints = with_fingers(robot, value)
        to_clamp = np.linalg.inv(robot.robot.clamp_pose(joints))
        tips = robot.robot.points(joints, robot.tips) @ to_clamp[:3, :3].T + to_clamp[:3, 3]
        gap = 0.0
        for link, tip in zip(robot.finger_links, tips, strict=True):
            points = surface(robot, {link}, joints, 60) @ to_clamp[:3, :3].T + to_clamp[:3, 3]
            near = points[np.linalg.norm((points - tip)[:, 1:], axis=1) < 0.006]
            side = np.sign(near[:, 0].mean())
            gap += (near[:, 0] * side).min()
        assert gap == pytest.approx(robot.robot.opening_m(joints), abs=0.004)
    assert robot.opening_at(robot.opening[0]) < 0.01 < 0.07 < robot.opening_m
    assert robot.opening_at(robot.finger_at(0.04)) == pytest.approx(0.04, abs=1e-4)


def test_home_is_within_limits_high_above_the_support_and_points_down(robot):
    robot.robot.check(robot.home)
    assert ((robot.home >= robot.lower) & (robot.home <= robot.upper)).all()
    clamp = robot.robot.clamp_pose(robot.home)
    assert clamp[2, 3] > 0.2 and clamp[2, 2] < -0.999
    moving = surface(robot, set(robot.robot.links) - {robot.robot.base}, robot.home, 1)
    assert moving[:, 2].min() > 0.05


def test_it_has_at_most_ten_thousand_triangles_of_finite_unit_length_normals(robot):
    meshes = [load_mesh(part.mesh) for part in robot.parts]
    assert sum(len(mesh.faces) for mesh in meshes) <= MOST_TRIANGLES
    for part, mesh in zip(robot.parts, meshes, strict=True):
        assert part.link in robot.robot.links and 0 <= part.tone < len(robot.tones)
        assert np.isfinite(mesh.vertices).all() and mesh.faces.max() < len(mesh.vertices)
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)


def test_decimation_keeps_the_shape(robot):
    """The parts fill the box that the original meshes fill, to 4 mm."""
    import trimesh

    from sim.robots.urdf import assemble

    path = FOLDER / f"{robot.name}.yaml"
    tree = assemble(path, read_description(path))
    link = tree.find(f"link[@name='{robot.robot.links[2]}']")
    original = trimesh.load(link.find("visual/geometry/mesh").get("filename"), force="mesh")
    ours = np.concatenate([load_mesh(part.mesh).vertices for part in robot.parts if part.link == link.get("name")])
    np.testing.assert_allclose([ours.min(axis=0), ours.max(axis=0)], original.bounds, atol=0.004)


def test_the_clamp_reaches_hovering_and_grasping_poses_all_over_the_workspace(robot):
    low, high = robot.reach_m
    reached = []
    for radius in (low, (low + high) / 2, high):
        for azimuth in np.linspace(-1.0, 1.0, 5):
            x, y = radius * np.cos(azimuth), radius * np.sin(azimuth)
            for height in (0.015, *robot.hover_height_m):
                for yaw in (0.0, 0.7, 1.4, 2.1, 2.8):
                    targets = [hover_pose((x, y, height), yaw + turn) for turn in (0, np.pi)]
                    starts = [facing(robot, (x, y, height), yaw + turn) for turn in (0, np.pi)]
                    found = [solve(robot.robot, *pair) for pair in zip(targets, starts, strict=True)]
                    reached.append(any(joints is not None for joints in found))
    assert np.mean(reached) == 1.0


def test_places_of_blocks_are_within_the_ranges_and_the_cameras_target(robot):
    low, high = robot.reach_m
    (x0, x1), (y0, y1) = robot.workspace_x_m, robot.workspace_y_m
    assert 0 < low < high and np.hypot(x0, 0) < high and x1 <= high + 1e-9 and -y0 == y1 <= high
    assert robot.span_m > high
    assert 0 < robot.camera_target_m[0] < high


def test_keypoints_lie_on_or_in_the_robot(robot):
    cloud = surface(robot, set(robot.robot.links), robot.home, 2)
    for keypoint in {*robot.overview, *robot.close_up}:
        for place in robot.robot.points(robot.home, keypoint.places):
            nearest = np.linalg.norm(cloud - place, axis=1).min()
            assert nearest < 0.09, f"{keypoint.name} is {nearest:.3f} m from the robot"


def test_enough_keypoints_spread_over_the_robot_to_find_a_camera(robot):
    places = np.concatenate([robot.robot.points(robot.home, keypoint.places) for keypoint in robot.overview])
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False) / np.sqrt(len(places))
    assert len(places) >= 8 and spread[1] > 0.1 and spread[2] > 0.015  # neither on a line nor in a plane
    assert [keypoint.name for keypoint in robot.close_up][:1] == ["clamp"]
    assert "clamp" in {keypoint.name for keypoint in robot.overview}


def test_panda_keeps_the_points_that_the_shipped_models_name():
    models = Path(__file__).resolve().parents[2] / "models"
    from perception.bundle import Bundle, list_bundles
    from perception.bundles import takes_images
    from sim.keypoints import channels

    for name in filter(lambda name: takes_images(models / name), list_bundles(models)):
        manifest = Bundle.load(models / name).manifest
        if manifest.output.kind != "heatmaps":
            continue
        ours = channels(manifest.task.removeprefix("localization."), load_robot("panda"))
        for there, here in zip(manifest.output.channels, ours, strict=True):
            places = [(point.link, point.xyz_m) for point in there.points] or [("block", part) for part in there.parts]
            assert (there.name, there.kind, places) == (here.name, here.kind, list(here.places))


def test_a_fresh_process_loads_a_cached_robot_without_trimesh_or_pybullet(robot):
    script = (
        "import sys, json, time; begin = time.perf_counter()\n"
        "from sim.robots import load_robot\nfrom sim.meshes import load_mesh\n"
        f"parts = [load_mesh(part.mesh) for part in load_robot({robot.name!r}).parts]\n"
        "print(json.dumps([len(parts), time.perf_counter() - begin, [n for n in ('trimesh', 'pybullet', 'scipy')"
        " if n in sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    count, _, imported = json.loads(done.stdout)
    assert (count, imported) == (len(robot.parts), [])
