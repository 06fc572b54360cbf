"""The clamp closes across the block's short side, by the shorter turn, and only on a block that is surely there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.errors import BlockworldError
from perception.grasp import check_confidence, closing_yaw, wrap_turn

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


def test_an_estimate_that_is_not_sure_enough_is_refused_with_its_doubts() -> None:
    check_confidence(0.3, 0.3, ["camera_2 hardly shows the block"])
    with pytest.raises(BlockworldError) as caught:
        check_confidence(0.12, 0.3, ["camera_2 hardly shows the block", "camera_3 hardly shows the block"])
    assert str(caught.value) == (
        "where the block is said to be has a confidence of 0.12, less than the least of 0.30: "
        "camera_2 hardly shows the block; camera_3 hardly shows the block."
    )
    with pytest.raises(BlockworldError, match=r"less than the least of 1\.00\."):
        check_confidence(float("nan"), 1.0, [])
