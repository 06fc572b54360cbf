"""Cameras and block adjusted together: exact, honest about its width, and hard to mislead."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fixtures_bundle import BLOCK

from perception.adjustment import BLOCK as BLOCK_UNKNOWNS
from perception.adjustment import CAMERA, BlockPrior, Observations, Pose, _moved, _Problem, adjust
from perception.camera import Camera
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
]
ROBOT = Robot.load()
PARTS = np.array([part for channel in BLOCK for part in channel.parts])
PRIOR = BlockPrior()


def scene(seed, cameras=2):
    """Cameras around the robot, its points (N, 3), and a block as the prior has them."""
    rng = np.random.default_rng(seed)
    joints = [*rng.uniform((-1, -1, -1, -2.5, -1, 0.8, -1), (1, 0.5, 1, -1.0, 1, 2.5, 1)), 0.04, 0.04]
    eyes = []
    for azimuth in np.linspace(-1.2, 1.2, cameras) + rng.uniform(-0.3, 0.3, cameras):
        elevation, distance = rng.uniform((0.4, 1.2), (0.9, 1.6))
        flat = np.cos(elevation)
        direction = np.array([np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(elevation)])
        eye = np.array([0.4, 0.0, 0.1]) + distance * direction
        focal = 704.0 * np.exp(0.2 * rng.normal())
        eyes.append(replace(Camera.looking_at(eye, (0.38, 0.0, 0.15), focal, 640, 480), k1=0.03 * rng.normal()))
    block = Pose.upright(np.array([*rng.uniform((0.35, -0.2), (0.6, 0.2)), 0.0]), rng.uniform(0, np.pi), np.ones(3))
    tilt = cv2.Rodrigues(np.array([*rng.normal(size=2) * PRIOR.tilt_sigma_rad, 0.0]))[0]
    size = np.array(PRIOR.size_m) + rng.normal(size=3) * PRIOR.size_sigma_m
    raised = block.position + np.array((0.0, 0.0, rng.normal() * PRIOR.height_sigma_m))
    return eyes, ROBOT.points(joints, LINKS), Pose(raised, tilt @ block.rotation, np.maximum(size, 0.02))


def observe(cameras, robot, block, noise_px=0.0, seed=0):
    """All points in all images, displaced at random; covariances say by how much."""
    rng = np.random.default_rng(seed)
    sigma = max(noise_px, 1e-3)
    parts = []
    for number, camera in enumerate(cameras):
        for points, places, of_block in ((robot, robot, False), (PARTS, block.points(PARTS), True)):
            pixels = camera.project(places)[0] + rng.normal(size=(len(points), 2)) * noise_px
            count = len(points)
            covariances = np.tile(np.eye(2) * sigma**2, (count, 1, 1))
            parts.append(Observations(np.full(count, number), pixels, covariances, np.full(count, of_block), points))
    return Observations.join(parts)


def near(cameras, block, seed):
    """Cameras and a block a little off."""
    step = np.random.default_rng(seed).normal(size=CAMERA * len(cameras) + BLOCK_UNKNOWNS)
    scale = [0.05, *[0.02] * 3, *[0.02] * 3, 0.02] * len(cameras) + [0.02] * 3 + [0.15] * 3 + [0.004] * 3
    return _moved(tuple(cameras), block, step * scale)


def error(found, truth):
    """Offset (3,) in x, y, yaw."""
    yaw = (found.yaw_rad - truth.yaw_rad + np.pi / 2) % np.pi - np.pi / 2
    return np.array([*(found.position - truth.position)[:2], yaw])


@pytest.mark.parametrize("seed", range(3))
def test_the_derivatives_are_those_of_the_cost(seed):
    cameras, robot, block = scene(seed)
    problem = _Problem(observe(cameras, robot, block, noise_px=2.0), PRIOR)
    state = near(cameras, block, seed)
    _, gradient = problem.normal_equations(*state)
    numeric = np.empty(len(gradient))
    for i in range(len(gradient)):
        step = np.zeros(len(gradient))
        step[i] = 1e-6
        numeric[i] = (problem.cost(*_moved(*state, step)) - problem.cost(*_moved(*state, -step))) / 2e-6
    np.testing.assert_allclose(2.0 * gradient, numeric, rtol=1e-4, atol=1e-3 * np.abs(numeric).max())


@pytest.mark.parametrize("seed", range(4))
def test_exact_points_give_exact_cameras_and_block(seed):
    cameras, robot, block = scene(seed)
    found = adjust(observe(cameras, robot, block), *near(cameras, block, seed))
    np.testing.assert_allclose(found.block.position, block.position, atol=2e-5)
    np.testing.assert_allclose(found.block.rotation, block.rotation, atol=5e-4)
    np.testing.assert_allclose(found.block.size, block.size, atol=5e-5)
    for camera, truth in zip(found.cameras, cameras, strict=True):
        np.testing.assert_allclose(camera.focal_px, truth.focal_px, rtol=1e-4)
        np.testing.assert_allclose(camera.T_camera_base, truth.T_camera_base, atol=1e-4)
        assert camera.k1 == pytest.approx(truth.k1, abs=1e-3)


def test_the_covariance_is_that_of_the_scatter():
    normalised = []
    for seed in range(40):
        cameras, robot, block = scene(seed)
        found = adjust(observe(cameras, robot, block, 1.0, seed), cameras, block)
        offset = error(found.block, block)
        rows = [0, 1, 5]
        normalised.append(offset @ np.linalg.solve(found.covariance[np.ix_(rows, rows)], offset))
    assert 0.5 < np.mean(normalised) / 3.0 < 1.3  # a chi-squared of three; the robust loss makes it a little wide
    assert np.mean(np.array(normalised) < 7.81) > 0.87  # 95 % of it


def test_more_cameras_make_it_surer():
    cameras, robot, block = scene(1, cameras=3)
    widths = []
    for count in (1, 2, 3):
        covariance = adjust(observe(cameras[:count], robot, block, 1.0), cameras[:count], block).covariance
        widths.append(np.sqrt(np.trace(covariance[:2, :2])))
    assert widths[0] > widths[1] > widths[2]


def test_outliers_do_little_harm_and_have_large_residuals():
    for seed in range(5):
        cameras, robot, block = scene(seed)
        clean = observe(cameras, robot, block, 1.0, seed)
        rng = np.random.default_rng(seed)
        wrong = rng.choice(len(clean.pixels), len(clean.pixels) // 6, replace=False)
        pixels = clean.pixels.copy()
        pixels[wrong] += 40.0 * rng.choice([-1, 1], (len(wrong), 2))
        found = adjust(replace(clean, pixels=pixels), *near(cameras, block, seed))
        assert np.hypot(*error(found.block, block)[:2]) < 0.012
        assert found.residuals[wrong].min() > 10.0
        assert np.median(np.delete(found.residuals, wrong)) < 2.0


def test_half_a_turn_changes_nothing_but_the_yaw():
    cameras, robot, block = scene(2)
    seen = observe(cameras, robot, block, 1.0)
    mirrored = replace(seen, points=np.where(seen.of_block[:, None], seen.points * (-1, -1, 1), seen.points))
    turn = np.diag([-1.0, -1.0, 1.0])
    one = adjust(seen, cameras, block)
    other = adjust(mirrored, cameras, replace(block, rotation=block.rotation @ turn))
    assert other.cost == pytest.approx(one.cost)
    np.testing.assert_allclose(other.block.position, one.block.position, atol=1e-7)
    np.testing.assert_allclose(other.block.rotation @ turn, one.block.rotation, atol=1e-7)
    np.testing.assert_allclose(other.covariance, one.covariance, atol=1e-6)


def test_without_sight_of_the_block_the_prior_stays():
    cameras, robot, block = scene(3)
    seen = observe(cameras, robot, block)
    blind = Observations(*(getattr(seen, name)[~seen.of_block] for name in Observations.__dataclass_fields__))
    found = adjust(blind, cameras, Pose.upright(block.position, 0.3, np.array([0.2, 0.1, 0.1])))
    np.testing.assert_allclose(found.block.size, PRIOR.size_m, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance))[6:], PRIOR.size_sigma_m, rtol=1e-3)
    assert found.block.rotation[2, 2] == pytest.approx(1.0)


def test_points_behind_a_camera_are_far_off_and_break_nothing():
    cameras, robot, block = scene(0)
    away = Camera.looking_at((1.5, 0.0, 0.5), (3.0, 0.0, 0.5), 700.0, 640, 480)
    found = adjust(observe(cameras, robot, block, 1.0), [cameras[0], away], block)
    assert np.isfinite(found.covariance).all() and np.isfinite(found.cost)
    assert found.residuals.max() >= 1e3


def test_sides_that_no_block_has_speak_against_a_size():
    prior = BlockPrior()
    usual = [(0.06, 0.03, 0.035), (0.085, 0.04, 0.045), (0.11, 0.055, 0.06)]
    assert [prior.log_density_of_size(np.array(size)) for size in usual] == [0.0, 0.0, 0.0]
    cube, brick, board = (0.047, 0.047, 0.047), (0.2, 0.1, 0.1), (0.085, 0.04, 0.005)
    assert max(prior.log_density_of_size(np.array(size)) for size in (cube, brick, board)) < -4.0
