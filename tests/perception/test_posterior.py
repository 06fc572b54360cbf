"""From adjusted blocks to poses in a frame and to marginals over bins."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_bundle import POSE_BINS, upright

from perception import angles
from perception.adjustment import Adjusted
from perception.bundle import Calibration
from perception.estimate import Mode
from perception.geometry import Solution
from perception.posterior import marginal, mode_in, yaw_marginal

COARSE, FINE = POSE_BINS["coarse"], POSE_BINS["fine"]


def mode(x_m=0.0, y_m=0.0, yaw_rad=1.0, sigma=(0.004, 0.003, 0.05), weight=1.0):
    return Mode(np.array([x_m, y_m, yaw_rad]), np.diag(np.square(sigma)), weight)


def solution(block, sigma, weight=1.0):
    """A block with standard deviations (9,) of place, rotation and size."""
    return Solution(Adjusted((), block, np.diag(np.square(sigma)), 0.0, np.zeros(0)), weight, np.zeros(0))


@pytest.mark.parametrize("bins", [COARSE, FINE])
def test_marginals_sum_to_one_over_the_bins_wherever_the_modes_are(bins):
    modes = [mode(0.45, 0.01, 3.1, weight=0.6), mode(7.0, -7.0, 0.01, (0.1, 0.1, 2.0), weight=0.4)]
    for found, of in ((marginal(bins.x, modes, 0), bins.x), (marginal(bins.y, modes, 1), bins.y)):
        np.testing.assert_allclose(found.centres, of.centres())
        assert found.probabilities.sum() == pytest.approx(1.0)
    yaw = yaw_marginal(bins.yaw, modes)
    np.testing.assert_allclose(yaw.centres, bins.yaw.centres())
    assert yaw.probabilities.sum() == pytest.approx(1.0)


def test_the_mean_of_a_marginal_lies_between_its_bins():
    for x in np.random.default_rng(0).uniform(-0.03, 0.03, 10):
        found = marginal(FINE.x, [mode(x_m=x)], 0)
        mean = found.centres @ found.probabilities
        assert mean == pytest.approx(x, abs=0.02 * FINE.x.width)
        spread = (found.centres - mean) ** 2 @ found.probabilities
        assert spread == pytest.approx(0.004**2 + FINE.x.width**2 / 12, rel=0.02)


def test_what_lies_beyond_the_bins_counts_for_the_outermost():
    found = marginal(FINE.y, [mode(y_m=0.5)], 1)
    assert found.probabilities[-1] == pytest.approx(1.0)


def test_two_modes_give_two_humps_by_their_weights():
    found = marginal(FINE.x, [mode(-0.03, weight=0.7), mode(0.03, weight=0.3)], 0)
    assert found.probabilities[:30].sum() == pytest.approx(0.7)


def test_the_yaw_goes_on_beyond_the_ends_of_the_half_turn():
    found = yaw_marginal(FINE.yaw, [mode(yaw_rad=0.001)])
    assert found.probabilities[:10].sum() == pytest.approx(0.5, abs=0.02)
    assert found.probabilities[-10:].sum() == pytest.approx(0.5, abs=0.02)
    other = yaw_marginal(FINE.yaw, [mode(yaw_rad=np.pi - 1e-9 - 0.001)])
    np.testing.assert_allclose(other.probabilities, found.probabilities[::-1], atol=1e-6)


def test_in_base_a_mode_is_the_block_itself():
    block = upright(0.4, -0.1, np.pi + 0.3)
    sigma = [0.003, 0.004, 0.005, 0.01, 0.02, 0.03, 0.1, 0.1, 0.1]
    found = mode_in(np.eye(4), solution(block, sigma, 0.8), Calibration())
    np.testing.assert_allclose(found.mean, [0.4, -0.1, 0.3])
    np.testing.assert_allclose(found.covariance, np.diag([0.003**2, 0.004**2, 0.03**2]), atol=1e-15)
    assert found.weight == 0.8


def test_calibration_widens_place_and_yaw():
    one = mode_in(np.eye(4), solution(upright(0.4, 0.0, 1.0), [0.01] * 9), Calibration())
    wider = mode_in(np.eye(4), solution(upright(0.4, 0.0, 1.0), [0.01] * 9), Calibration(place=4.0, yaw=9.0))
    np.testing.assert_allclose(np.diag(wider.covariance) / np.diag(one.covariance), [4.0, 4.0, 9.0])


def test_points_that_scatter_more_than_they_claim_widen_all():
    calm = solution(upright(0.4, 0.0, 1.0), [0.01] * 9)
    for residuals, factor in (([1.0, 1.0, 2.0], 1.0), ([2.0, 2.0], 2.0), ([np.sqrt(2.0), 40.0], 2.75), ([0.1], 0.005)):
        scattered = replace(calm, adjusted=replace(calm.adjusted, residuals=np.array(residuals)))
        assert scattered.adjusted.variance_factor == pytest.approx(factor)  # outliers count as three deviations
        wider = mode_in(np.eye(4), scattered, Calibration())
        most = max(1.0, 4.0 * factor) ** 2  # never narrower than it claims
        np.testing.assert_allclose(np.diag(wider.covariance), most * np.array([1e-4, 1e-4, 1e-4]))


def test_in_a_clamp_frame_whose_z_points_down_the_yaw_runs_the_other_way():
    clamp_yaw, place = 0.4, np.array([0.5, 0.1, 0.12])
    cos, sin = np.cos(clamp_yaw), np.sin(clamp_yaw)
    pose = np.eye(4)
    pose[:3, :3] = [[cos, sin, 0.0], [sin, -cos, 0.0], [0.0, 0.0, -1.0]]
    pose[:3, 3] = place
    rng = np.random.default_rng(1)
    root = rng.normal(size=(9, 9)) * 0.01
    block = upright(0.52, 0.13, 1.7)
    exact = Solution(Adjusted((), block, root @ root.T, 0.0, np.zeros(0)), 1.0, np.zeros(0))
    found = mode_in(pose, exact, Calibration())
    assert angles.difference(found.mean[2], clamp_yaw - 1.7, np.pi) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(found.mean[:2], (pose[:3, :3].T @ (block.position - place))[:2])
    # Blocks scattered as the covariance says are scattered in the frame as the mode says.
    steps = rng.normal(size=(4000, 9)) @ root.T
    moved = (block.position + steps[:, :3] - place) @ pose[:3, :3]
    yaws = clamp_yaw - (1.7 + steps[:, 5])
    scattered, claimed = np.cov(moved[:, 0], yaws), found.covariance[np.ix_([0, 2], [0, 2])]
    np.testing.assert_allclose(scattered, claimed, rtol=0.15, atol=1e-5)
