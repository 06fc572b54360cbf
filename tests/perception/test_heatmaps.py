"""Reading heat maps between their cells."""

import numpy as np
import pytest

from perception import heatmaps

SIGMA = 1.25
WIDTH, HEIGHT = 48, 36


def bells(*peaks, own=0.0, width=WIDTH, height=HEIGHT):
    """Probabilities (h, w) of points ((x, y), mass), each uncertain by `own` cells and smeared by SIGMA."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    total = np.zeros((height, width))
    for (u, v), mass in peaks:
        bell_x, bell_y = (np.exp(-0.5 * (a - b) ** 2 / (SIGMA**2 + own**2)) for a, b in ((x, u), (y, v)))
        total += mass * np.outer(bell_y / bell_y.sum(), bell_x / bell_x.sum())
    return total.astype(np.float32)


def decode(density, **near):
    """The one peak of one map."""
    found = heatmaps.decode(density[None], SIGMA, **near)
    return found.places[0], found.covariances[0], found.confidences[0]


@pytest.mark.parametrize("mass", [1.0, 0.4])
@pytest.mark.parametrize("own", [0.0, 0.7])
def test_a_peak_is_found_between_cells_with_its_mass_and_without_the_targets_width(mass, own):
    for place in np.random.default_rng(1).uniform((8, 8), (40, 28), (10, 2)):
        found, covariance, confidence = decode(bells((place, mass), own=own))
        np.testing.assert_allclose(found, place, atol=0.03)
        np.testing.assert_allclose(covariance, np.eye(2) * own**2, atol=0.05)
        assert confidence == pytest.approx(mass, rel=0.01)


def test_a_long_peak_has_a_long_covariance():
    density = np.mean([bells(((20 + t, 18 + t), 1.0)) for t in np.linspace(-1, 1, 21)], axis=0)
    _, covariance, _ = decode(density)
    np.testing.assert_allclose(covariance, 0.37 * np.ones((2, 2)), atol=0.03)


def test_a_map_that_says_nothing_gives_no_confidence():
    assert decode(np.full((HEIGHT, WIDTH), 1 / (HEIGHT * WIDTH)))[2] < 0.1
    assert decode(np.zeros((HEIGHT, WIDTH)))[2] == 0.0


def test_at_the_border_the_window_ends():
    found, covariance, confidence = decode(bells(((0.2, 35.8), 1.0)))
    assert np.linalg.norm(found - (0.2, 35.8)) < 1.5
    assert np.isfinite(covariance).all() and confidence > 0.9


def test_near_a_place_the_lower_mode_is_found():
    density = bells(((12.0, 18.0), 0.7), ((34.3, 17.6), 0.3))
    assert np.linalg.norm(decode(density)[0] - (12.0, 18.0)) < 0.05
    near, _, confidence = decode(density, near=np.array([[33.0, 18.5]]), gate=4.0)
    assert np.linalg.norm(near - (34.3, 17.6)) < 0.05
    assert confidence == pytest.approx(0.3, rel=0.02)
    lost = decode(density, near=np.array([[-50.0, 18.5]]), gate=4.0)
    assert lost[2] == 0.0


@pytest.mark.parametrize("distance", [2.5, 4.0, 8.0, 16.0])
def test_two_points_are_told_apart_by_where_they_are_predicted(distance):
    first, second = np.array([16.2, 18.4]), np.array([16.2 + 0.8 * distance, 18.4 + 0.6 * distance])
    density = bells((first, 0.5), (second, 0.5))
    predicted = np.array([[second, first]]) + np.array((0.6, -0.4))  # in the other order, and off as a whole
    found = heatmaps.decode_pairs(density[None], predicted, SIGMA, gate=2.0)
    np.testing.assert_allclose(found.places, [second, first], atol=0.3)
    np.testing.assert_allclose(found.confidences, 1.0, atol=0.1)


def test_two_points_that_merge_stay_within_their_uncertainty():
    places = np.array([[20.0, 18.0], [21.0, 18.0]])
    density = bells(*((place, 0.5) for place in places))
    found = heatmaps.decode_pairs(density[None], places[None] + (0.8, 0.0), SIGMA, gate=2.0)
    for place, covariance, truth in zip(found.places, found.covariances, places, strict=True):
        offset = place - truth
        assert offset @ np.linalg.solve(covariance + 0.25 * np.eye(2), offset) < 4.0


@pytest.mark.parametrize("distance", [8.0, 10.0, 16.0])
def test_of_two_points_one_may_be_missing(distance):
    places = np.array([[14.0, 18.0], [14.0 + distance, 18.0]])
    found = heatmaps.decode_pairs(bells((places[0], 0.5))[None], places[None] + (1.0, 0.5), SIGMA, gate=2.0)
    np.testing.assert_allclose(found.places[0], places[0], atol=0.1)
    assert found.confidences[0] > 0.95 and found.confidences[1] < 0.05


def test_two_points_are_found_where_the_prediction_is_off_by_more_than_their_distance():
    places = np.array([[14.0, 18.0], [19.0, 18.0]])
    density = bells(*((place, 0.5) for place in places))
    found = heatmaps.decode_pairs(density[None], places[None] + (5.5, 0.0), SIGMA, 6.0)
    np.testing.assert_allclose(found.places, places, atol=0.2)


def test_what_is_far_from_both_points_does_not_count():
    places = np.array([[14.0, 12.0], [22.0, 12.0]])
    other = bells(*((place, 0.25) for place in places), ((18.0, 31.0), 0.5))
    found = heatmaps.decode_pairs(other[None], places[None], SIGMA, gate=2.0)
    np.testing.assert_allclose(found.places, places, atol=0.1)
    np.testing.assert_allclose(found.confidences, 0.5, atol=0.03)


@pytest.mark.parametrize("off", [(-400.0, 18.0), (1e9, -1e9)])
def test_points_predicted_outside_of_the_map_are_lost(off):
    density = bells(((20.0, 18.0), 1.0))
    found = heatmaps.decode_pairs(density[None], np.array([[off, np.add(off, (5.0, 0.0))]]), SIGMA)
    np.testing.assert_array_equal(found.confidences, 0.0)
    assert np.isfinite(found.covariances).all()


def test_many_maps_are_read_as_one_by_one():
    rng = np.random.default_rng(2)
    places = rng.uniform((8, 8), (40, 28), (5, 2, 2))
    density = np.stack([bells((a, 0.5), (b, 0.5)) for a, b in places])
    together = heatmaps.decode_pairs(density, places, SIGMA, 1.0)
    for i in range(5):
        alone = heatmaps.decode_pairs(density[i : i + 1], places[i : i + 1], SIGMA, 1.0)
        np.testing.assert_allclose(together.places[2 * i : 2 * i + 2], alone.places, atol=0.05)


def test_modes_come_highest_first_and_apart():
    density = bells(((12.0, 10.0), 0.5), ((30.5, 20.5), 0.3), ((40.5, 30.5), 0.2))
    found = heatmaps.modes(density, 2, 5.0)
    np.testing.assert_allclose(found, [[12.0, 10.0], [30.5, 20.5]], atol=0.6)
    every = heatmaps.modes(density, 9, 5.0)
    np.testing.assert_allclose(every[:3], [[12.0, 10.0], [30.5, 20.5], [40.5, 30.5]], atol=0.6)


def test_a_flat_map_has_modes_apart_too():
    found = heatmaps.modes(np.full((HEIGHT, WIDTH), 1e-9, np.float32), 3, 5.0)
    assert len(found) == 3
    assert np.abs(found[:, None] - found)[np.triu_indices(3, 1)].max(axis=-1).min() > 5.0


def test_scores_are_the_floored_logarithm_of_the_probability():
    density = bells(((20.0, 18.0), 0.6))
    places = np.array([[[20.5, 18.5], [40.5, 4.5], [500.0, 18.0], [np.nan, np.nan]]])
    scores = heatmaps.log_scores(density, places)[0]
    floor = heatmaps.SCORE_FLOOR / density.size
    expected = np.log((1 - heatmaps.SCORE_FLOOR) * density[18, 20] + floor)
    np.testing.assert_allclose(scores, [expected, *[np.log(floor)] * 3], rtol=1e-5)


def test_scores_are_read_between_cells_of_one_map_or_of_many():
    maps = np.stack([bells(((20.0, 18.0), 1.0)), bells(((10.0, 8.0), 1.0))])
    places = np.random.default_rng(3).uniform((5, 5), (30, 30), (2, 7, 2))
    together = heatmaps.log_scores(maps, places)
    assert together.shape == (2, 7)
    for density, at, scores in zip(maps, places, together, strict=True):
        np.testing.assert_allclose(scores, heatmaps.log_scores(density, at), rtol=1e-6)
    halfway = heatmaps.log_scores(maps[0], np.array([20.0, 18.5]))
    mean = (maps[0][18, 19] + maps[0][18, 20]) / 2
    assert halfway == pytest.approx(np.log(0.95 * mean + 0.05 / maps[0].size), rel=1e-5)


def test_blurring_widens_a_peak_by_the_given_amount_and_keeps_its_mass():
    density = bells(((90.0, 70.0), 0.8), width=192, height=144)
    wider = heatmaps.blur(density, np.array([3.0, 0.0]))
    share = wider / wider.sum()
    x = np.arange(192) + 0.5
    spread = (share.sum(axis=0) * (x - 90.0) ** 2).sum(), (share.sum(axis=1) * (np.arange(144) + 0.5 - 70.0) ** 2).sum()
    np.testing.assert_allclose(spread, [SIGMA**2 + 9.0, SIGMA**2], rtol=0.03)
    assert wider.sum() == pytest.approx(0.8, rel=1e-3)


def test_blurring_is_bounded_by_the_map():
    density = bells(((20.0, 18.0), 1.0))
    assert np.isfinite(heatmaps.blur(density, np.array([1e6, 1e6]))).all()
