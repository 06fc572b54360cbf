"""The close-up around the clamp."""

import numpy as np
import pytest

from perception import crop
from perception.camera import Camera
from perception.errors import LocalizationError
from perception.robot import Robot

JOINTS = [0.0, 0.4, 0.0, -2.2, 0.0, 2.6, 0.8, 0.04, 0.04]
CAMERA = Camera.looking_at((1.3, 0.5, 0.8), (0.4, 0.0, 0.2), 650.0, 640, 480)


def clamp():
    return Robot.load().clamp_pose(JOINTS)


def test_the_window_spans_40_cm_at_the_clamp_and_is_centred_below_it():
    pose = clamp()
    (clamp_px, below_px), depth = CAMERA.project([pose[:3, 3], pose[:3, 3] - (0.0, 0.0, 0.06)])
    square = crop.window(CAMERA, pose, clamp_px)
    assert square.side == pytest.approx(0.40 * 650.0 / depth[0])
    np.testing.assert_allclose(square.to_image((64.0, 64.0), 128), below_px)


def test_the_window_follows_the_tool_not_the_camera():
    pose = clamp()
    pixel = CAMERA.project(pose[:3, 3])[0]
    one, other = crop.window(CAMERA, pose, pixel), crop.window(CAMERA, pose, pixel + np.array((7.0, -3.0)))
    np.testing.assert_allclose((other.u0 - one.u0, other.v0 - one.v0), (7.0, -3.0))


def test_crop_and_image_pixels_map_back_and_forth():
    square = crop.Window(-12.3, 45.6, 301.7)
    points = np.random.default_rng(0).uniform(0, 128, (5, 2))
    np.testing.assert_allclose(square.from_image(square.to_image(points, 128), 128), points)
    np.testing.assert_allclose(square.to_image((0.0, 128.0), 128), (-12.3, 45.6 + 301.7))


@pytest.mark.parametrize("side", [100.0, 300.0, 517.0])
def test_a_cut_shows_what_the_window_covers(side):
    u, v = np.meshgrid(np.arange(640) + 0.5, np.arange(480) + 0.5)
    image = np.round(np.stack([u / 3, v / 2, u * 0], axis=-1)).astype(np.uint8)
    square = crop.Window(60.4, 20.7, min(side, 440.0))
    cut = crop.cut(image, square, 128)
    assert cut.shape == (128, 128, 3) and cut.dtype == np.uint8
    places = square.to_image(np.stack(np.meshgrid(np.arange(128) + 0.5, np.arange(128) + 0.5), axis=-1), 128)
    np.testing.assert_allclose(cut[..., 0], places[..., 0] / 3, atol=1.0)
    np.testing.assert_allclose(cut[..., 1], places[..., 1] / 2, atol=1.0)


def test_beyond_the_image_its_border_is_repeated():
    image = np.full((480, 640, 3), 90, dtype=np.uint8)
    assert np.all(crop.cut(image, crop.Window(-150.0, 300.0, 300.0), 128) == 90)


def test_shrinking_averages_instead_of_skipping():
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    image[:, ::4] = 255
    cut = crop.cut(image, crop.Window(100.0, 100.0, 256.0), 64)
    np.testing.assert_allclose(cut.mean(), 255 / 4, atol=3.0)
    assert cut.std() < 12.0


def test_a_clamp_behind_the_camera_is_refused():
    away = Camera.looking_at((1.3, 0.5, 0.8), (2.0, 1.0, 0.8), 650.0, 640, 480)
    with pytest.raises(LocalizationError, match="behind the camera"):
        crop.window(away, clamp(), (320.0, 240.0))
