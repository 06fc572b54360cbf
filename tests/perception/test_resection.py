"""Cameras from known points: exact without noise, robust against outliers, refused where undetermined."""

import numpy as np
import pytest

from perception.camera import Camera
from perception.errors import LocalizationError
from perception.resection import Matches, resect
from perception.robot import Robot

LINKS = [
    ("panda_link0", (0.0, 0.0, 0.0)),
    ("panda_link0", (-0.14, 0.0, 0.0)),
    ("panda_link0", (0.0, 0.09, 0.0)),
    ("panda_link0", (0.0, -0.09, 0.0)),
    *((link, (0.0, 0.0, 0.0)) for link in ("panda_link2", "panda_link3", "panda_link4", "panda_link6")),
    ("panda_link7", (0.0, 0.0, 0.0)),
    ("panda_hand", (0.0, 0.0, 0.0)),
    ("clamp", (0.0, 0.0, 0.0)),
    ("panda_hand", (0.0, 0.1, 0.03)),
]
GROUND = np.array([[0.45, 0.0, 0.0], [0.6, 0.2, 0.0], [0.3, -0.2, 0.0]])


def scene(rng):
    """A camera somewhere around the robot, and the robot's points (N, 3)."""
    joints = [*rng.uniform((-1, -1, -1, -2.5, -1, 0.8, -1), (1, 0.5, 1, -1.0, 1, 2.5, 1)), 0.04, 0.04]
    points = Robot.load().points(joints, LINKS)
    azimuth, distance, elevation = rng.uniform((-2.2, 1.0, 0.3), (2.2, 1.7, 1.0))
    flat = np.cos(elevation)
    direction = [np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(elevation)]
    eye = np.array([0.4, 0.0, 0.1]) + distance * np.array(direction)
    focal = 704.0 * np.exp(0.2 * rng.normal())
    return Camera.looking_at(eye, (0.35, 0.0, 0.2), focal, 640, 480, roll_rad=0.1 * rng.normal()), points


def matches(points, pixels, sigma):
    return Matches(points, pixels, np.tile(np.eye(2) * sigma**2, (len(points), 1, 1)))


def errors_px(noise, outliers, cases):
    """Largest distance of three points of the ground per case, and the same against the claimed covariance."""
    distances, normalised = [], []
    for case in range(cases):
        rng = np.random.default_rng(case)
        camera, points = scene(rng)
        pixels = camera.project(points)[0] + rng.normal(size=(len(points), 2)) * noise
        wrong = rng.choice(len(points), outliers, replace=False)
        pixels[wrong] = rng.uniform((0, 0), (640, 480), (outliers, 2))
        found = resect(matches(points, pixels, max(noise, 0.01)), 640, 480)
        offset = found.camera.project(GROUND)[0] - camera.project(GROUND)[0]
        distances.append(np.linalg.norm(offset, axis=-1).max())
        covariance = found.pixel_covariance(GROUND[0])
        normalised.append(offset[0] @ np.linalg.solve(covariance, offset[0]))
    return np.array(distances), np.array(normalised)


def test_the_camera_is_exact_without_noise():
    assert errors_px(0.0, 0, 12)[0].max() < 0.01


def test_a_pixel_of_noise_costs_a_few_pixels_on_the_ground_and_the_covariance_says_so():
    distances, normalised = errors_px(1.0, 0, 25)
    assert np.median(distances) < 4.0
    assert distances.max() < 20.0
    assert 0.5 < np.median(normalised) < 3.0  # 1.4 for a chi-squared of two


def test_a_quarter_of_outliers_does_little_harm():
    distances, _ = errors_px(1.0, 3, 15)
    assert np.median(distances) < 6.0
    assert np.quantile(distances, 0.8) < 20.0


def test_outliers_are_named():
    camera, points = scene(np.random.default_rng(3))
    pixels = camera.project(points)[0]
    pixels[2] += 150.0
    found = resect(matches(points, pixels, 1.0), 640, 480)
    assert list(np.flatnonzero(~found.inliers)) == [2]


def test_a_first_camera_replaces_the_search():
    rng = np.random.default_rng(5)
    camera, points = scene(rng)
    near = Camera(camera.focal_px * 1.1, 640, 480, camera.T_camera_base)
    found = resect(matches(points, camera.project(points)[0], 0.01), 640, 480, initial=near)
    np.testing.assert_allclose(found.camera.focal_px, camera.focal_px, rtol=1e-4)
    np.testing.assert_allclose(found.camera.T_camera_base, camera.T_camera_base, atol=1e-4)


def test_the_same_matches_give_the_same_camera():
    camera, points = scene(np.random.default_rng(7))
    pixels = camera.project(points)[0] + np.random.default_rng(8).normal(size=(len(points), 2)) * 8.0
    first, second = (resect(matches(points, pixels, 2.0), 640, 480).camera for _ in range(2))
    np.testing.assert_array_equal(first.T_camera_base, second.T_camera_base)


def test_too_few_points_are_refused():
    camera, points = scene(np.random.default_rng(0))
    few = points[:3]
    with pytest.raises(LocalizationError, match="only 3 points of the robot are visible, a camera needs 4"):
        resect(matches(few, camera.project(few)[0], 1.0), 640, 480)


def test_points_in_a_line_are_refused():
    camera, _ = scene(np.random.default_rng(0))
    line = np.linspace((0.2, 0.0, 0.1), (0.5, 0.1, 0.4), 8)
    with pytest.raises(LocalizationError, match="show more of the robot"):
        resect(matches(line, camera.project(line)[0], 1.0), 640, 480)


def test_points_in_random_places_are_refused():
    _, points = scene(np.random.default_rng(0))
    pixels = np.random.default_rng(1).uniform((0, 0), (640, 480), (len(points), 2))
    with pytest.raises(LocalizationError, match=r"agree on a camera|open by"):
        resect(matches(points, pixels, 0.5), 640, 480)
