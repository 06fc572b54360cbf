"""Reading heat maps between their cells."""

import numpy as np
import pytest

from perception import heatmaps


def peaks(places, sigma, width=48, height=36, floor=0.0):
    """Log-probabilities (h, w) of equal Gaussians at places (M, 2) in pixels of the map."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    mass = sum(np.exp(-0.5 * ((x - u) ** 2 + (y - v) ** 2) / sigma**2) for u, v in places) + floor + 1e-30
    return np.log(mass / mass.sum()).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.4, 0.7, 1.2])
def test_a_peak_is_found_between_pixels_with_its_covariance(sigma):
    rng = np.random.default_rng(1)
    for place in rng.uniform((6, 6), (42, 30), (10, 2)):
        density = heatmaps.density(peaks([place], sigma))
        scale = density.shape[1] / 48
        found = heatmaps.decode(density)
        np.testing.assert_allclose(found.place / scale, place, atol=0.03)
        np.testing.assert_allclose(np.diag(found.covariance) / scale**2, sigma**2, rtol=0.2, atol=0.02)
        assert found.confidence > 0.9


def test_a_density_sums_to_one_at_any_resolution():
    for width, height in ((48, 36), (192, 144)):
        density = heatmaps.density(np.stack([peaks([(20, 20)], 1.0, width, height)] * 2))
        np.testing.assert_allclose(density.sum(axis=(1, 2)), 1.0, rtol=1e-4)
        assert density.shape[2] >= heatmaps.FINEST


def test_a_flat_map_gives_no_confidence():
    flat = np.full((36, 48), -np.log(36 * 48), dtype=np.float32)
    assert heatmaps.decode(heatmaps.density(flat)).confidence < 0.05


@pytest.mark.parametrize("distance", [3.0, 6.0, 12.0])
def test_two_modes_go_to_the_points_predicted_near_them(distance):
    first, second = np.array([20.0, 18.0]), np.array([20.0 + distance, 18.0])
    density = heatmaps.density(peaks([first, second], 0.6))
    scale = density.shape[1] / 48
    predicted = np.array([second, first]) + np.array((1.0, -0.7))  # in the other order, and off as a whole
    found = heatmaps.decode_pair(density, predicted * scale)
    np.testing.assert_allclose(found[0].place / scale, second, atol=0.1)
    np.testing.assert_allclose(found[1].place / scale, first, atol=0.1)


def test_two_modes_that_merge_stay_within_their_uncertainty():
    places = np.array([[20.0, 18.0], [20.6, 18.0]])
    density = heatmaps.density(peaks(places, 0.6))
    scale = density.shape[1] / 48
    found = heatmaps.decode_pair(density, (places + np.array((0.8, 0.0))) * scale)
    for peak, place in zip(found, places, strict=True):
        offset = peak.place / scale - place
        assert offset @ np.linalg.solve(peak.covariance / scale**2, offset) < 1.0


def test_points_predicted_outside_of_the_map_are_lost():
    density = heatmaps.density(peaks([(20.0, 18.0)], 0.6))
    found = heatmaps.decode_pair(density, np.array([[-400.0, 18.0], [-420.0, 18.0]]))
    assert [peak.confidence for peak in found] == [0.0, 0.0]


def test_scores_are_the_floored_logarithm_of_the_density():
    density = heatmaps.density(peaks([(20.0, 18.0)], 1.0, 192, 144))
    places = np.array([[[20.5, 18.5], [30.5, 18.5], [500.0, 18.0], [np.nan, np.nan]]])
    scores = heatmaps.log_scores(density, places)[0]
    floor = heatmaps.SCORE_FLOOR / density.size
    expected = np.log((1 - heatmaps.SCORE_FLOOR) * density[18, 20] + floor)
    np.testing.assert_allclose(scores, [expected, np.log(floor), np.log(floor), np.log(floor)], rtol=2e-3)


def test_blurring_widens_a_peak_by_the_given_amount():
    density = heatmaps.density(peaks([(90.0, 70.0)], 2.0, 192, 144))
    wider = heatmaps.decode(heatmaps.blur(density, np.array([3.0, 0.0])))
    np.testing.assert_allclose(np.diag(wider.covariance), [4.0 + 9.0, 4.0], rtol=0.1)
