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
    cut = crop.cut(image, square.upright(128))
    assert cut.shape == (128, 128, 3) and cut.dtype == np.uint8
    places = square.to_image(np.stack(np.meshgrid(np.arange(128) + 0.5, np.arange(128) + 0.5), axis=-1), 128)
    np.testing.assert_allclose(cut[..., 0], places[..., 0] / 3, atol=1.0)
    np.testing.assert_allclose(cut[..., 1], places[..., 1] / 2, atol=1.0)


def test_beyond_the_image_its_border_is_repeated():
    image = np.full((480, 640, 3), 90, dtype=np.uint8)
    assert np.all(crop.cut(image, crop.Window(-150.0, 300.0, 300.0).upright(128)) == 90)


def test_shrinking_averages_instead_of_skipping():
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    image[:, ::4] = 255
    cut = crop.cut(image, crop.Window(100.0, 100.0, 256.0).upright(64))
    np.testing.assert_allclose(cut.mean(), 255 / 4, atol=3.0)
    assert cut.std() < 12.0


def test_a_clamp_behind_the_camera_is_refused():
    away = Camera.looking_at((1.3, 0.5, 0.8), (2.0, 1.0, 0.8), 650.0, 640, 480)
    with pytest.raises(LocalizationError, match="behind the camera"):
        crop.window(away, clamp(), (320.0, 240.0))


def corners(window):
    """First and last corner of what a picture shows, in px of the image."""
    return window.origin, window.origin + window.linear @ np.array(window.size)


def test_the_picture_of_the_arm_holds_its_points_and_stays_inside_the_image():
    rng = np.random.default_rng(1)
    for _ in range(50):
        points = rng.uniform((0, 0), (640, 480)) + rng.normal(0, rng.uniform(5, 200), (20, 2))
        window = crop.arm_window(points, (640, 480), (256, 192))
        low, high = corners(window)
        assert (low >= -1e-9).all() and (high <= np.array([640, 480]) + 1e-9).all()
        assert 640 / 256 / crop.MOST_ARM_ZOOM - 1e-9 <= window.linear[0, 0] <= 640 / 256 + 1e-9
        seen = np.clip(points, 0, (640, 480))
        if window.linear[0, 0] < 640 / 256 - 1e-9:
            assert (seen >= low - 1e-9).all() and (seen <= high + 1e-9).all()


def test_an_arm_that_fills_the_image_is_shown_as_it_is():
    window = crop.arm_window([(5.0, 5.0), (630.0, 470.0)], (640, 480), (256, 192))
    for found, wanted in zip(corners(window), ((0, 0), (640, 480)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_an_image_of_another_shape_is_not_stretched():
    window = crop.arm_window([(900.0, 300.0), (1000.0, 500.0)], (1280, 720), (256, 192))
    assert window.linear[0, 0] == window.linear[1, 1]
    low, high = corners(window)
    assert low[0] < 900 and high[0] > 1000 and high[1] <= 720
