"""Factors that make claimed covariances honest."""

import numpy as np
import pytest

from training.localization.calibrate import LEVELS, Misses, fit, shares


def misses(place, yaw, count=1500):
    """Errors whose true variances are the claimed ones times these factors."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(count, 3, 3)) * 1e-3
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(3) * 1e-6
    errors = (np.linalg.cholesky(covariances) @ rng.normal(size=(count, 3, 1)))[..., 0]
    return Misses(errors * np.sqrt([place, place, yaw]), covariances)


def test_honest_covariances_hold_what_they_should():
    np.testing.assert_allclose(shares(misses(1.0, 1.0)), LEVELS, atol=0.03)


@pytest.mark.parametrize(("place", "yaw"), [(1.0, 1.0), (4.0, 2.0), (0.5, 6.0)])
def test_the_factors_are_found(place, yaw):
    found = fit(misses(place, yaw))
    assert found.place == pytest.approx(place, rel=0.2)
    assert found.yaw == pytest.approx(yaw, rel=0.2)
