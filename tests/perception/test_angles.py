"""Angles modulo a period."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception import angles

ANGLE = st.floats(-50.0, 50.0)
PERIOD = st.sampled_from([np.pi, 2 * np.pi, np.pi / 2])


@given(ANGLE, PERIOD)
def test_wrapped_angles_lie_in_the_period_and_differ_by_whole_periods(angle: float, period: float) -> None:
    wrapped = angles.wrap(angle, period)
    assert 0.0 <= wrapped < period
    turns = (angle - wrapped) / period
    assert turns == pytest.approx(round(float(turns)), abs=1e-9)


def test_a_tiny_negative_angle_wraps_inside_the_period() -> None:
    assert angles.wrap(-1e-20, np.pi) == 0.0


@given(ANGLE, ANGLE, PERIOD)
def test_differences_are_the_shortest_way_back(a: float, b: float, period: float) -> None:
    delta = float(angles.difference(a, b, period))
    assert -period / 2 <= delta < period / 2
    assert float(angles.difference(b + delta, a, period)) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=30)
@given(ANGLE, st.floats(0.01, 0.7))
def test_the_mean_of_two_angles_lies_midway_across_the_seam(angle: float, spread: float) -> None:
    middle = angles.mean([angle - spread, angle + spread + np.pi], np.pi)
    assert float(angles.difference(middle, angle, np.pi)) == pytest.approx(0.0, abs=1e-9)


def test_weights_pull_the_mean() -> None:
    assert angles.mean([0.0, 0.2], np.pi, weights=[3.0, 0.0]) == pytest.approx(0.0, abs=1e-12)


def test_cancelling_angles_have_no_mean() -> None:
    with pytest.raises(ValueError, match="cancel"):
        angles.mean([0.0, np.pi / 2], np.pi)


@settings(max_examples=50)
@given(st.floats(0.0, np.pi - 1e-9))
def test_expectation_recovers_a_peak_between_bins_and_ignores_a_second_mode(yaw: float) -> None:
    centres = (np.arange(36) + 0.5) * np.pi / 36
    offset = angles.difference(centres, yaw, np.pi)
    far = angles.difference(centres, yaw + np.pi / 2, np.pi)
    probabilities = np.exp(-0.5 * (offset / 0.1) ** 2) + 0.5 * np.exp(-0.5 * (far / 0.1) ** 2)
    probabilities /= probabilities.sum()
    mean, variance = angles.expectation(centres, probabilities, np.pi, 0.45)
    assert abs(angles.difference(mean, yaw, np.pi)) < 2e-3
    assert variance == pytest.approx(0.01, rel=0.05)
