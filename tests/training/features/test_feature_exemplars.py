"""Exemplars as one matrix: their scores, the calibration folded into it, and features that do not fit."""

import numpy as np
import pytest

from perception.errors import BlockworldError
from training.features import exemplars
from training.features.exemplars import PERCENTILE, Exemplars, unit


def drawn(count, seed=0, size=24, mean=0.5):
    return (np.random.default_rng(seed).normal(size=(count, size)) + mean).astype(np.float32)


def test_scores_without_calibration_are_cosines():
    made, windows = Exemplars(drawn(7)), drawn(5, 1)
    scores = made.scores(windows)
    assert scores.shape == (5, 7)
    expected = windows[2] @ drawn(7)[4] / np.linalg.norm(windows[2]) / np.linalg.norm(drawn(7)[4])
    assert scores[2, 4] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("at_once", [1, 2**26])
def test_random_windows_have_mean_minus_one_and_their_percentile_is_zero_for_each_exemplar(monkeypatch, at_once):
    monkeypatch.setattr(exemplars, "AT_ONCE_BYTES", at_once)
    negatives = drawn(3000, 2)
    scores = Exemplars(drawn(9)).calibrated(negatives).scores(negatives)
    np.testing.assert_allclose(scores.mean(axis=0), -1, atol=1e-3)
    np.testing.assert_allclose(np.percentile(scores, PERCENTILE, axis=0), 0, atol=1e-3)


def test_calibration_keeps_the_order_of_windows_of_an_exemplar():
    windows, plain = drawn(50, 3), Exemplars(drawn(4))
    before, after = (one.scores(windows) for one in (plain, plain.calibrated(drawn(500, 4))))
    np.testing.assert_array_equal(np.argsort(before, axis=0), np.argsort(after, axis=0))


def test_an_exemplar_that_is_like_everything_loses_its_lead():
    """One that is near the mean of all windows has the highest cosines with windows of any kind."""
    background = drawn(2000, 5, size=200, mean=1.0)
    hub, own, other = background.mean(axis=0), *drawn(2, 6, size=200, mean=1.0)
    plain = Exemplars(np.stack([hub, own]))
    window = (hub + 0.3 * (own - hub) + 0.95 * (other - hub))[None]
    assert plain.scores(window).argmax() == 0
    assert plain.calibrated(background).scores(window).argmax() == 1


def test_scores_a_part_at_a_time_are_those_of_all_at_once(monkeypatch):
    monkeypatch.setattr(exemplars, "AT_ONCE_BYTES", 4 * 7 * 10)
    made, windows = Exemplars(drawn(7)), drawn(33, 1)
    parts = list(made.scored(windows))
    assert len(parts) == 4
    np.testing.assert_allclose(np.concatenate([scores for _, scores in parts]), made.scores(windows), atol=1e-6)


def test_features_of_another_backbone_are_refused():
    with pytest.raises(BlockworldError, match="have 24 numbers each and the features 32: they are of another backbone"):
        Exemplars(drawn(7)).scores(drawn(2, size=32))


def test_windows_that_are_all_alike_calibrate_nothing():
    with pytest.raises(BlockworldError, match="all score the same"):
        Exemplars(drawn(3)).calibrated(np.ones((10, 24), np.float32))


def test_features_of_no_length_score_nothing_rather_than_no_number():
    assert np.isfinite(unit(np.zeros((2, 3), np.float32))).all()
