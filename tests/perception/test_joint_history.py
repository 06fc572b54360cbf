"""Joint positions at the time of an image: exact, between two states, or none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.joint_history import JointHistory


def history(*states: tuple[float, float]) -> JointHistory:
    made = JointHistory(longest_gap=0.5, span=10.0, still_within=0.02)
    for stamp, position in states:
        made.add(stamp, np.full(9, position))
    return made


@given(st.floats(0.0, 1.0), st.permutations([(0.0, 0.0), (0.4, 0.01), (0.8, 0.0), (1.0, 0.015)]))
def test_positions_lie_on_the_line_between_the_states_whatever_their_order(stamp, states) -> None:
    found = history(*states).at(stamp)
    assert found == pytest.approx(np.full(9, np.interp(stamp, [0.0, 0.4, 0.8, 1.0], [0.0, 0.01, 0.0, 0.015])))


def test_a_state_of_the_very_time_counts_even_while_the_robot_moves() -> None:
    assert history((0.0, 0.0), (0.1, 0.5), (0.2, 1.0)).at(0.1) == pytest.approx(np.full(9, 0.5))


def test_between_two_poses_there_is_no_position() -> None:
    assert history((0.0, 0.0), (0.1, 0.5)).at(0.05) is None


def test_a_state_holds_for_a_while_and_no_longer() -> None:
    one = history((1.0, 0.3))
    assert one.at(1.4) == pytest.approx(np.full(9, 0.3))
    assert one.at(0.6) == pytest.approx(np.full(9, 0.3))
    assert one.at(1.6) is None
    assert history().at(1.0) is None


def test_a_gap_is_not_bridged() -> None:
    two = history((0.0, 0.0), (2.0, 0.0))
    assert two.at(1.0) is None
    assert two.at(0.3) is not None


def test_old_states_are_forgotten() -> None:
    many = history(*((float(stamp), 0.0) for stamp in range(100)))
    assert len(many) == 11
    assert many.latest == 99.0
