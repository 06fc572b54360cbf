"""The pinhole camera's conventions."""

import numpy as np
import pytest

from perception.camera import Camera


def test_the_target_projects_to_the_image_centre_and_up_is_up() -> None:
    camera = Camera.looking_at((1.5, 0.4, 0.9), (0.4, 0.0, 0.1), 600.0, 640, 480)
    pixels, depth = camera.project([(0.4, 0.0, 0.1), (0.4, 0.0, 0.2)])
    np.testing.assert_allclose(pixels[0], (320.0, 240.0), atol=1e-9)
    assert depth[0] == pytest.approx(np.linalg.norm([1.1, 0.4, 0.8]))
    assert pixels[1, 1] < 240.0
    np.testing.assert_allclose(pixels[1, 0], 320.0, atol=1e-9)


def test_projection_is_the_intrinsic_matrix_times_camera_coordinates() -> None:
    camera = Camera.looking_at((-1.0, 0.5, 1.0), (0.2, 0.1, 0.0), 500.0, 640, 480, roll_rad=0.2)
    point = np.array([0.3, -0.1, 0.05, 1.0])
    homogeneous = camera.matrix @ (camera.T_camera_base @ point)[:3]
    pixels, depth = camera.project(point[:3])
    np.testing.assert_allclose(pixels, homogeneous[:2] / homogeneous[2])
    assert depth == pytest.approx(homogeneous[2])


def test_the_optical_centre_is_the_eye_and_the_rotation_is_proper() -> None:
    camera = Camera.looking_at((1.0, 2.0, 3.0), (0.0, 0.0, 0.0), 500.0, 640, 480, roll_rad=0.7)
    np.testing.assert_allclose(camera.position_m, (1.0, 2.0, 3.0))
    rotation = camera.T_camera_base[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_points_behind_the_camera_have_no_pixel() -> None:
    camera = Camera.looking_at((1.0, 0.0, 0.5), (0.0, 0.0, 0.5), 500.0, 640, 480)
    pixels, depth = camera.project([(2.0, 0.0, 0.5)])
    assert np.isnan(pixels).all()
    assert depth[0] == pytest.approx(-1.0)


def test_a_camera_looking_straight_down_is_refused() -> None:
    with pytest.raises(ValueError, match="no upright orientation"):
        Camera.looking_at((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 500.0, 640, 480)
