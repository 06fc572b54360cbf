"""Adding log-scores on the grid: sub-bin estimates, both clamp orientations, honest width."""

import numpy as np
import pytest
from fixtures_bundle import POSE_BINS

from perception import angles
from perception.estimate import height_of_plane, level_direction
from perception.fusion import Grid, posterior

FINE = Grid.of(POSE_BINS["fine"])
COARSE = Grid.of(POSE_BINS["coarse"])


def scores(grid, x_m, y_m, yaw_rad, length_m, sigma_m):
    """Log-scores of centre and ends (ny, nx) as Gaussian peaks of sigma_m over a floor."""
    x, y = grid.places()
    half = length_m / 2 * np.array([np.cos(yaw_rad), np.sin(yaw_rad)])

    def peak(u, v):
        return np.exp(-0.5 * ((x - u) ** 2 + (y - v) ** 2) / sigma_m**2)

    ends = peak(x_m + half[0], y_m + half[1]) + peak(x_m - half[0], y_m - half[1])
    return np.log(peak(x_m, y_m) + 1e-4).astype(np.float32), np.log(ends + 1e-4).astype(np.float32)


@pytest.mark.parametrize(("grid", "sigma"), [(FINE, 0.004), (COARSE, 0.012)])
def test_estimates_lie_between_bins(grid, sigma):
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = rng.uniform(-0.04, 0.04, 2) + np.array((grid.x.centre, grid.y.centre))
        yaw, length = rng.uniform(0, np.pi), rng.uniform(0.07, 0.11)
        found = posterior(grid, *scores(grid, x, y, yaw, length, sigma))
        assert np.hypot(found.x_m - x, found.y_m - y) < 0.2 * grid.x.width
        assert abs(angles.difference(found.yaw_rad, yaw, np.pi)) < 0.2 * grid.yaw.width
        assert found.length_m == pytest.approx(length, abs=max(0.006, 0.7 * sigma))


def test_marginals_and_joint_sum_to_one_over_the_bins_of_the_manifest():
    found = posterior(FINE, *scores(FINE, 0.01, -0.02, 1.0, 0.09, 0.005))
    assert found.joint.shape == (60, 60, 90)
    for marginal, bins in ((found.x, FINE.x), (found.y, FINE.y), (found.yaw, FINE.yaw)):
        np.testing.assert_allclose(marginal.centres, bins.centres())
        assert marginal.probabilities.sum() == pytest.approx(1.0, abs=1e-4)


def test_the_covariance_is_that_of_the_scores_and_more_views_shrink_it():
    one = scores(FINE, 0.0, 0.0, 0.5, 0.09, 0.006)
    single = posterior(FINE, *one)
    double = posterior(FINE, 2 * one[0], 2 * one[1])
    # Centre and both ends each place the block to 6 mm.
    assert np.sqrt(single.covariance[0, 0]) == pytest.approx(0.006 / np.sqrt(3), rel=0.3)
    assert np.all(np.diag(double.covariance) < 0.7 * np.diag(single.covariance))


def test_scores_that_say_nothing_give_a_posterior_that_says_so():
    x, _ = COARSE.places()
    found = posterior(COARSE, np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32))
    assert np.sqrt(np.diag(found.covariance)[:2]).min() > 0.05
    assert found.yaw.probabilities.max() < 0.06


def test_two_clamp_orientations_fuse_as_by_the_papers_reindexing():
    """Loing et al. fuse an orientation turned by 90 degrees by turning its x, y bins and shifting its yaw bins
    by half. Scoring that orientation's views on the first grid gives the same, bin by bin."""
    rng = np.random.default_rng(4)
    truth = (0.011, -0.007, 0.8, 0.09)
    first = scores(FINE, *truth, 0.006)
    # The second clamp frame is turned by +90 degrees: a point (x, y) of the first is (y, -x) in the second.
    turned_truth = (truth[1], -truth[0], truth[2] - np.pi / 2, truth[3])
    second = scores(FINE, *turned_truth, 0.006)
    second = tuple(score + rng.normal(size=score.shape).astype(np.float32) * 0.1 for score in second)
    # On the first grid: value at (x, y) is the second's at (y, -x); row is y, column is x.
    in_first = tuple(np.ascontiguousarray(np.rot90(score, -1)) for score in second)
    x, y = FINE.places()
    np.testing.assert_allclose(np.rot90(x, -1), y, atol=1e-12)
    np.testing.assert_allclose(np.rot90(y, -1), -x, atol=1e-12)
    together = posterior(FINE, first[0] + in_first[0], first[1] + in_first[1]).joint
    own = posterior(FINE, *second).joint
    reindexed = np.roll(np.rot90(own, -1), FINE.yaw.count // 2, axis=2)
    alone = posterior(FINE, *in_first).joint
    np.testing.assert_allclose(alone, reindexed, atol=1e-6)
    product = posterior(FINE, *first).joint * reindexed
    product /= product.sum()
    best = np.unravel_index(np.argmax(product), product.shape)
    assert np.argmax(together.sum(axis=(0, 1))) == pytest.approx(best[2], abs=1)
    assert np.argmax(together.sum(axis=(0, 2))) == pytest.approx(best[1], abs=1)
    assert np.argmax(together.sum(axis=(1, 2))) == pytest.approx(best[0], abs=1)


def test_a_tilted_frame_still_meets_the_support_plane():
    pose = np.eye(4)
    pose[:3, :3] = [[0.0, 1.0, 0.0], [np.cos(0.1), 0.0, np.sin(0.1)], [np.sin(0.1), 0.0, -np.cos(0.1)]]
    pose[:3, 3] = (0.4, 0.1, 0.2)
    x, y = np.array([0.03, -0.05]), np.array([0.02, 0.04])
    points = np.stack([x, y, height_of_plane(pose, x, y)], axis=-1) @ pose[:3, :3].T + pose[:3, 3]
    np.testing.assert_allclose(points[:, 2], 0.0, atol=1e-12)
    direction = level_direction(pose[:3, :3], np.array(0.7))
    in_frame = pose[:3, :3].T @ direction
    assert direction[2] == pytest.approx(0.0, abs=1e-12)
    assert np.arctan2(in_frame[1], in_frame[0]) == pytest.approx(0.7)
