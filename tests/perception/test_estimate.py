"""Estimates in a frame, and the support plane as that frame has it."""

import numpy as np
import pytest

from perception.estimate import BlockEstimate, Posterior, height_of_plane, level_direction

TILTED = np.eye(4)
TILTED[:3, :3] = [[0.0, 1.0, 0.0], [np.cos(0.1), 0.0, np.sin(0.1)], [np.sin(0.1), 0.0, -np.cos(0.1)]]
TILTED[:3, 3] = (0.4, 0.1, 0.2)


def test_a_tilted_frame_still_meets_the_support_plane():
    x, y = np.array([0.03, -0.05]), np.array([0.02, 0.04])
    points = np.stack([x, y, height_of_plane(TILTED, x, y)], axis=-1) @ TILTED[:3, :3].T + TILTED[:3, 3]
    np.testing.assert_allclose(points[:, 2], 0.0, atol=1e-12)


def test_a_direction_is_level_in_base_and_has_its_yaw_in_the_frame():
    direction = level_direction(TILTED[:3, :3], np.array(0.7))
    in_frame = TILTED[:3, :3].T @ direction
    assert direction[2] == pytest.approx(0.0, abs=1e-12)
    assert np.arctan2(in_frame[1], in_frame[0]) == pytest.approx(0.7)


@pytest.mark.parametrize("frame", [np.eye(4), np.diag([1.0, -1.0, -1.0, 1.0]), TILTED])
def test_errors_are_told_in_the_frame_of_the_estimate_whatever_end_is_called_first(frame):
    flat = Posterior(np.zeros(1), np.ones(1))
    found = BlockEstimate(
        "coarse", "base", 0.4, -0.1, 0.0, 0.02, np.eye(3), (0.09, 0.04, 0.05), (), 1.0, flat, flat, flat, (), {}, 0.0,
        "none", frame,
    )  # fmt: skip
    cos, sin = np.cos(found.yaw_rad - 0.03), np.sin(found.yaw_rad - 0.03)
    own = np.array([[cos, -sin, 0, 0.39], [sin, cos, 0, -0.08], [0, 0, 1, 0], [0, 0, 0, 1]])
    for truth in (frame @ own, frame @ own @ np.diag([-1.0, -1.0, 1.0, 1.0])):
        np.testing.assert_allclose(found.errors(truth), (0.01, -0.02, 0.03), atol=1e-9)
