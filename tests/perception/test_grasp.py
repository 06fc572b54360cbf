"""The clamp closes across the block's short side, by the shorter turn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.grasp import closing_yaw, wrap_turn

angles = st.floats(-10.0, 10.0)


@given(angles, angles)
def test_the_closing_direction_is_square_to_the_long_side_and_near(block_yaw, clamp_yaw) -> None:
    yaw = closing_yaw(block_yaw, clamp_yaw)
    assert abs(np.cos(yaw - block_yaw)) < 1e-9
    assert abs(wrap_turn(yaw - clamp_yaw)) <= np.pi / 2 + 1e-9
    assert -np.pi < yaw <= np.pi


@given(angles)
def test_a_wrapped_turn_points_the_same_way(yaw) -> None:
    assert np.allclose([np.cos(wrap_turn(yaw)), np.sin(wrap_turn(yaw))], [np.cos(yaw), np.sin(yaw)])
