"""The camera's conventions: pinhole, radial distortion, and back to the plane."""

from dataclasses import replace

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


@pytest.mark.parametrize("k1", [-0.2, -0.05, 0.1])
def test_distortion_moves_points_along_their_radius(k1: float) -> None:
    camera = Camera.looking_at((1.5, 0.4, 0.9), (0.4, 0.0, 0.1), 600.0, 640, 480)
    points = np.random.default_rng(0).uniform((0.2, -0.3, 0.0), (0.6, 0.3, 0.5), (20, 3))
    straight = (camera.project(points)[0] - (320.0, 240.0)) / 600.0
    bent = (replace(camera, k1=k1).project(points)[0] - (320.0, 240.0)) / 600.0
    radius = np.linalg.norm(straight, axis=-1, keepdims=True)
    np.testing.assert_allclose(bent, straight * (1.0 + k1 * radius**2), atol=1e-12)


def test_strong_barrel_distortion_folds_no_far_point_back_into_the_image() -> None:
    camera = replace(Camera.looking_at((0.0, 0.0, 0.5), (1.0, 0.0, 0.5), 300.0, 640, 480), k1=-0.3)
    aside = np.stack([np.ones(50), np.linspace(0.0, 20.0, 50), np.full(50, 0.5)], axis=-1)
    assert np.all(np.diff(camera.project(aside)[0][:, 0]) < 0)


@pytest.mark.parametrize("k1", [0.0, -0.2, 0.1])
@pytest.mark.parametrize("height_m", [0.0, 0.045])
def test_meeting_the_plane_is_the_inverse_of_projection(k1: float, height_m: float) -> None:
    camera = replace(Camera.looking_at((1.5, 0.4, 0.9), (0.4, 0.0, 0.1), 600.0, 640, 480, roll_rad=0.3), k1=k1)
    u, v = np.meshgrid(np.linspace(0, 640, 5), np.linspace(100, 480, 4))
    pixels = np.stack([u, v], axis=-1)
    points = camera.meet_plane(pixels, height_m)
    assert points.shape == (4, 5, 3)
    np.testing.assert_allclose(points[..., 2], height_m, atol=1e-12)
    np.testing.assert_allclose(camera.project(points)[0], pixels, atol=1e-3)


def test_a_ray_into_the_sky_meets_no_plane() -> None:
    camera = Camera.looking_at((1.5, 0.0, 0.9), (0.4, 0.0, 0.9), 600.0, 640, 480)
    assert np.isnan(camera.meet_plane([(320.0, 100.0), (320.0, 240.0)])).all()
    assert np.isfinite(camera.meet_plane((320.0, 300.0))).all()
