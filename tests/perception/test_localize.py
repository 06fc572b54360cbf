"""The three stages end to end, with networks that know the truth up to a given noise."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import draw_markers, error_of, write_marker_bundles
from scipy.optimize import least_squares

from perception import overlay
from perception.angles import difference
from perception.camera import Camera
from perception.errors import BundleError, ImageError, JointStateError, LocalizationError
from perception.localize import Localizer, View
from perception.robot import Robot

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import Truth

NOISE_PX = 0.2  # of the networks' inputs: 0.7 px of an overview, 0.4 px of a close-up
ROBOT = Robot.load()


def camera(rng):
    azimuth, distance, elevation = rng.uniform((-1.4, 1.3, 0.45), (1.4, 1.7, 0.9))
    direction = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    eye = np.array([0.36, 0.0, 0.2]) + distance * np.array(direction)
    return Camera.looking_at(eye, (0.36, 0.0, 0.2), 640.0 * rng.uniform(0.85, 1.05), 640, 480)


def block(rng):
    return tuple(rng.uniform((0.35, -0.2, 0.0, 0.07), (0.6, 0.2, np.pi, 0.12)))


def overview_joints(rng):
    low = (-0.8, -0.9, -0.5, -2.4, -0.5, 1.0, -0.5)
    return np.array([*rng.uniform(low, (0.8, 0.0, 0.5, -1.6, 0.5, 2.0, 0.5)), 0.04, 0.04])


def hover(x_m, y_m, yaw_rad, height_m=0.16):
    """Joint positions (9,) with the clamp pointing down above a place, its x axis at yaw_rad."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    rotation = np.array([[cos, sin, 0.0], [sin, -cos, 0.0], [0.0, 0.0, -1.0]])

    def miss(arm):
        pose = ROBOT.clamp_pose([*arm, 0.04, 0.04])
        return np.concatenate([10.0 * (pose[:3, 3] - (x_m, y_m, height_m)), (pose[:3, :3] - rotation).ravel()])

    limits = ([joint.lower for joint in ROBOT.moving[:7]], [joint.upper for joint in ROBOT.moving[:7]])
    solved = least_squares(miss, [np.arctan2(y_m, x_m), 0.3, 0.0, -2.0, 0.0, 2.3, 0.8], bounds=limits)
    assert solved.cost < 1e-6
    return np.array([*solved.x, 0.04, 0.04])


def coarse_case(seed, views=3, **truth):
    rng = np.random.default_rng(seed)
    case = Truth(block(rng), NOISE_PX, seed, **truth)
    joints = overview_joints(rng)
    return case, [case.view(f"camera_{i}", camera(rng), joints) for i in range(1, views + 1)]


def fine_case(seed, cameras=3, orientations=1):
    rng = np.random.default_rng(seed)
    case = Truth(block(rng), NOISE_PX, seed)
    x, y = case.block[:2] + rng.normal(size=2) * 0.01
    eyes = [camera(rng) for _ in range(cameras)]
    poses = [hover(x, y, 0.2 + i * np.pi / 2) for i in range(orientations)]
    views = [case.view(f"camera_{i}", eye, pose) for pose in poses for i, eye in enumerate(eyes, start=1)]
    return case, views


def errors(cases, stage):
    found = [error_of(getattr(case.localizer(), stage)(views), case.block) for case, views in cases]
    return np.array(found).T


def test_coarse_with_three_views():
    position, yaw = errors([coarse_case(seed) for seed in range(8)], "coarse")
    assert np.median(position) < 0.005
    assert position.max() < 0.03
    assert np.rad2deg(np.median(yaw)) < 4.0


def test_coarse_with_one_view():
    position, yaw = errors([coarse_case(seed, views=1) for seed in range(6)], "coarse")
    assert np.median(position) < 0.02
    assert np.rad2deg(np.median(yaw)) < 8.0


def test_fine_with_three_views():
    position, yaw = errors([fine_case(seed) for seed in range(6)], "fine")
    assert np.median(position) < 0.0015
    assert position.max() < 0.005
    assert np.rad2deg(np.median(yaw)) < 2.0


def test_fine_with_one_view():
    position, yaw = errors([fine_case(seed, cameras=1) for seed in range(4)], "fine")
    assert np.median(position) < 0.004
    assert np.rad2deg(np.median(yaw)) < 4.0


def test_fine_with_two_clamp_orientations_is_in_the_frame_of_the_first():
    case, views = fine_case(3, cameras=2, orientations=2)
    found = case.localizer().fine(views)
    position, yaw = error_of(found, case.block)
    assert position < 0.003 and np.rad2deg(yaw) < 2.0
    np.testing.assert_allclose(found.T_base_frame, ROBOT.clamp_pose(views[0].joints))
    clamp_yaw = np.arctan2(found.T_base_frame[1, 0], found.T_base_frame[0, 0])
    assert abs(difference(found.yaw_rad, clamp_yaw - case.block[2], np.pi)) < 0.05  # z down mirrors the sense
    assert found.views == ("camera_1", "camera_2", "camera_1", "camera_2")
    assert sorted(found.cameras) == ["camera_1", "camera_2"]


def test_errors_are_within_the_claimed_covariance():
    normalised = []
    for seed in range(8):
        case, views = coarse_case(seed)
        found = case.localizer().coarse(views)
        offset = np.array(found.in_base()[:2]) - case.block[:2]
        normalised.append(offset @ np.linalg.solve(found.covariance[:2, :2], offset))
    assert np.mean(np.array(normalised) < 5.99) >= 0.75  # 95 % of a chi-squared of two


def test_a_view_that_sees_nothing_is_left_out():
    case, views = coarse_case(1, views=4, blind={3})
    found = case.localizer().coarse(views)
    assert sorted(found.cameras) == ["camera_1", "camera_2", "camera_3"]
    assert error_of(found, case.block)[0] < 0.02


def test_a_view_that_sees_ghosts_does_little_harm():
    case, views = coarse_case(2, views=4, misled={2})
    assert error_of(case.localizer().coarse(views), case.block)[0] < 0.02


def test_views_that_all_see_nothing_are_refused_with_each_reason():
    case, views = coarse_case(1, views=2, blind={0, 1})
    with pytest.raises(LocalizationError, match=r"camera_1: only 0 points .* camera_2: only 0 points"):
        case.localizer().coarse(views)


def test_the_tool_is_found_in_the_image():
    case, views = fine_case(0, cameras=1)
    eye, joints = case.scenes[0]
    found = case.localizer().tool(views[0])
    truth = eye.project(ROBOT.clamp_pose(joints)[:3, 3])[0]
    np.testing.assert_allclose((found.u_px, found.v_px), truth, atol=4.0)
    assert len(found.u.centres) == len(found.v.centres) == 50
    assert found.u.probabilities.sum() == pytest.approx(1.0)
    assert found.u.centres[np.argmax(found.u.probabilities)] == pytest.approx(found.u_px, abs=640 / 50)


def test_the_same_views_give_the_same_estimate():
    case, views = fine_case(1, cameras=1)
    localizer = case.localizer()
    first, second = localizer.fine(views), localizer.fine(views)
    assert (first.x_m, first.y_m, first.yaw_rad) == (second.x_m, second.y_m, second.yaw_rad)


def test_the_stamp_is_that_of_the_oldest_image():
    case, views = coarse_case(0)
    stamped = [replace(view, stamp_s=stamp) for view, stamp in zip(views, (7.0, 5.0, 6.0), strict=True)]
    assert case.localizer().coarse(stamped).stamp_s == 5.0


def test_a_clamp_that_does_not_point_down_is_refused():
    case, views = coarse_case(0, views=1)
    lying = replace(views[0], joints=np.array([0.0, 0.4, 0.0, -0.5, 0.0, 1.6, 0.0, 0.04, 0.04]))
    with pytest.raises(LocalizationError, match=r"the clamp is tilted by .* move it over the block first"):
        case.localizer().fine([lying])


def test_bad_views_are_refused():
    case, views = coarse_case(0, views=1)
    localizer = case.localizer()
    with pytest.raises(LocalizationError, match="no image was given"):
        localizer.coarse([])
    with pytest.raises(ImageError, match="the image of camera_1 has 4 channels"):
        localizer.coarse([replace(views[0], image=np.zeros((480, 640, 4), np.uint8))])
    with pytest.raises(JointStateError, match="panda_joint1 is nan"):
        localizer.coarse([replace(views[0], joints=np.full(9, np.nan))])


def test_real_bundles_on_drawn_pictures(tmp_path):
    models = write_marker_bundles(tmp_path)
    rng = np.random.default_rng(5)
    truth = block(rng)
    eyes = [camera(rng) for _ in range(3)]
    joints = hover(truth[0] + 0.01, truth[1], 0.3)
    views = [View(f"camera_{i}", draw_markers(eye, joints, truth), joints) for i, eye in enumerate(eyes, start=1)]
    localizer = Localizer.open(models)
    assert localizer.engine_name == "onnxruntime-cpu"
    found = localizer.fine(views)
    position, yaw = error_of(found, truth)
    assert position < 0.008 and np.rad2deg(yaw) < 10.0
    picture = overlay.draw(views[0].image, found.cameras["camera_1"], found, ROBOT.clamp_pose(joints))
    spot = np.round(eyes[0].project((truth[0], truth[1], 0.0))[0]).astype(int)
    changed = np.any(picture != views[0].image, axis=-1)
    assert changed[spot[1] - 5 : spot[1] + 6, spot[0] - 5 : spot[0] + 6].any()
    assert 0.002 < changed.mean() < 0.2


def test_only_the_stages_asked_for_are_loaded(tmp_path):
    write_marker_bundles(tmp_path)
    (tmp_path / "fine" / "model.onnx").unlink()
    assert Localizer.open(tmp_path, stages=["coarse"]).engine_name == "onnxruntime-cpu"
    with pytest.raises(BundleError, match="fine"):
        Localizer.open(tmp_path)
