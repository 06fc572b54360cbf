"""What one network sees in one image: points of the robot and of the block, in pixels of the image."""

import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import manifest, upright

from perception.bundle import Noise
from perception.camera import Camera
from perception.crop import Window
from perception.sight import COMMON_ERRORS, Frame, Sight, robot_points

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import ROBOT, SIZES, IdealEngine, Truth

JOINTS = np.array([0.2, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04])
EYE = Camera.looking_at((1.4, 0.6, 0.9), (0.36, 0.0, 0.2), 600.0, 640, 480)
BLOCK = upright(0.5, 0.12, 0.7)


def look(stage="coarse", window=None, **given) -> Sight:
    """What a stage's network sees of the robot and the block, in the whole image or in a window."""
    case = Truth(BLOCK, **given)
    case.view("camera", EYE, JOINTS)
    if window is None:
        return case.looks(stage)[0].sight
    output = manifest(stage, SIZES[stage]).output
    maps = np.exp(IdealEngine(stage, case, [window.upright(128)]).maps(0))
    return Sight(JOINTS, Frame.rectangle(window.upright(128), output), output, maps)


def test_a_frame_maps_pixels_and_cells_onto_each_other():
    output = look().output
    whole = Frame.whole(np.empty((480, 640, 3), np.uint8), output)
    np.testing.assert_allclose(whole.cell_px, [5.0, 5.0])
    square = Frame.rectangle(Window(-20.0, 40.0, 192.0).upright(128), output)
    pixels = np.random.default_rng(0).uniform(0, 400, (5, 2))
    for frame in (whole, square):
        np.testing.assert_allclose(frame.to_pixels(frame.to_cells(pixels)), pixels)
    np.testing.assert_allclose(square.to_pixels(np.zeros(2)), [-20.0, 40.0])
    assert whole.covers(np.array([639.0, 1.0])) and not whole.covers(np.array([640.5, 1.0]))
    assert square.covers(np.array([-19.0, 41.0])) and not square.covers(np.array([np.nan, 41.0]))


def test_the_robots_points_are_where_the_camera_sees_them():
    sight = look()
    found = robot_points([sight], ROBOT)[0]
    truth = EYE.project(found.points_m)[0]
    off = np.linalg.norm(found.pixels - truth, axis=-1)
    whole = np.all((truth > 25) & (truth < (615, 455)), axis=-1)  # peaks that no border cuts
    assert whole.sum() >= 8 and off[whole].max() < 0.3 and off.max() < 5.0


def test_points_that_look_alike_count_only_with_a_camera():
    clamp = EYE.project(ROBOT.clamp_pose(JOINTS)[:3, 3])[0]
    window = Window(clamp[0] - 130, clamp[1] - 110, 260.0)
    sight = look("fine", window)
    assert len(robot_points([sight], ROBOT)[0].pixels) == 2
    found = robot_points([sight], ROBOT, [EYE])[0]
    assert len(found.pixels) == 4
    np.testing.assert_allclose(found.pixels, EYE.project(found.points_m)[0], atol=0.5)


def test_what_is_not_seen_gives_no_points():
    assert len(robot_points([look(without_robot={0})], ROBOT, [EYE])[0].pixels) == 0
    found = look(without_block={0}).block_points(0, EYE, BLOCK, 40.0)
    assert len(found.pixels) == 0 and found.pixels.shape == (0, 2)


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.015, -0.01)])
def test_the_blocks_points_are_found_from_near_where_it_is(offset):
    sight = look()
    guess = upright(BLOCK.position[0] + offset[0], BLOCK.position[1] + offset[1], BLOCK.yaw_rad + 0.05)
    found = sight.block_points(3, EYE, guess, 25.0)
    assert len(found.pixels) == 12 and found.of_block.all() and set(found.camera) == {3}
    off = np.linalg.norm(found.pixels - EYE.project(BLOCK.points(found.points))[0], axis=-1)
    assert np.median(off) < 1.0 and off.max() < 5.0


def test_covariances_grow_with_the_channels_noise_and_with_doubt():
    sight = look()
    channels = sight.output.channels
    noisy = tuple(channel.model_copy(update={"noise": Noise(scale=1.0, floor=0.4)}) for channel in channels)
    louder = Sight(JOINTS, sight.frame, sight.output.model_copy(update={"channels": noisy}), sight.maps)
    faint = Sight(JOINTS, sight.frame, sight.output, 0.5 * sight.maps)
    one, other, half = (
        np.trace(robot_points([each], ROBOT)[0].covariances, axis1=1, axis2=2) for each in (sight, louder, faint)
    )
    np.testing.assert_allclose(one, COMMON_ERRORS * 2 * 0.1 * 25.0, rtol=0.3)
    np.testing.assert_allclose(other - one, COMMON_ERRORS * 2 * 0.3 * 25.0, rtol=0.1)
    np.testing.assert_allclose(half, 2.0 * one, rtol=1e-3)


def test_probabilities_that_something_is_there():
    sight = look()
    centre = sight.names.index("block_centre")
    at = sight.frame.to_cells(EYE.project(BLOCK.position)[0])
    assert sight.mass_near(centre, at) == pytest.approx(1.0, abs=0.01)
    assert sight.mass_near(centre, at + 30.0) < 0.01
    assert sight.mass_near(centre, np.array([np.nan, 1.0])) == 0.0
    assert sight.mass_near(centre, np.array([-1e9, 1e9])) == 0.0
    robot = [one.points[0] for one in sight.output.channels if one.kind == "robot"]
    pixels = EYE.project(ROBOT.points(JOINTS, [(point.link, point.xyz_m) for point in robot]))[0]
    assert sight.share("robot") == pytest.approx(np.mean([sight.frame.covers(pixel) for pixel in pixels]), abs=0.01)
    assert look(without_robot={0}).share("robot") < 0.01


def test_a_peak_is_read_in_pixels():
    pixel, covariance, confidence = look("tool").peak("clamp")
    np.testing.assert_allclose(pixel, EYE.project(ROBOT.clamp_pose(JOINTS)[:3, 3])[0], atol=0.5)
    assert covariance.shape == (2, 2) and confidence == pytest.approx(1.0, abs=0.01)
