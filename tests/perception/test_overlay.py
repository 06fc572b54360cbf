"""What is drawn into an image, and where."""

import cv2
import numpy as np
from fixtures_bundle import POSE_BINS, upright

from perception import overlay
from perception.camera import Camera
from perception.estimate import BlockEstimate, Mode, Posterior

GREY = np.full((480, 640, 3), 128, np.uint8)
EYE = Camera.looking_at((1.2, 0.5, 0.8), (0.45, 0.0, 0.0), 900.0, 640, 480)
BLOCK = upright(0.45, 0.02, 0.5, (0.12, 0.05, 0.06))
LABEL_ROWS = 40


def estimate(block=BLOCK, sigma_m=0.001):
    """An estimate of a block in base, as sure as told."""
    covariance = np.diag([sigma_m, sigma_m, 0.01]) ** 2
    bins = POSE_BINS["coarse"]
    marginals = [Posterior(one.centres(), np.full(one.count, 1 / one.count)) for one in (bins.x, bins.y, bins.yaw)]
    x, y, z = (float(value) for value in block.position)
    mode = Mode(np.array([x, y, block.yaw_rad]), covariance, 1.0)
    size = tuple(float(side) for side in block.size)
    return BlockEstimate(
        "coarse", "base", x, y, z, block.yaw_rad, covariance, size, (mode,), 0.93, *marginals, (), {}, 0.0, "none"
    )  # fmt: skip


def drawn(image=GREY, camera=EYE, **given):
    """Which pixels (H, W) above the label are changed."""
    picture = overlay.draw(image, camera, estimate(**given))
    assert picture is not image
    return np.any(picture != GREY, axis=-1)[:-LABEL_ROWS]


def outline(block=BLOCK):
    """Pixels (H, W) within the block's outline above the label."""
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)])
    hull = cv2.convexHull(np.round(EYE.project(block.points(corners))[0] - 0.5).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((480, 640), np.uint8), hull, 1).astype(bool)[:-LABEL_ROWS]


def test_the_box_fills_the_outline_of_the_whole_block_and_no_more():
    changed, wanted = drawn(), outline()
    grown = cv2.dilate(wanted.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    assert changed[wanted].mean() > 0.99
    assert not changed[~grown].any()


def test_a_raised_block_is_drawn_where_it_is():
    raised = type(BLOCK)(BLOCK.position + np.array((0.0, 0.0, 0.05)), BLOCK.rotation, BLOCK.size)
    assert drawn(block=raised)[outline(raised)].mean() > 0.99


def test_edges_behind_the_box_are_not_drawn():
    hidden = BLOCK.points(np.array([(-0.5, -0.5, 0.0), (-0.5, -0.5, 1.0)]))  # the edge farthest from this camera
    far = min((BLOCK.points(np.array([(x, y, 0.5)]))[0] for x in (-0.5, 0.5) for y in (-0.5, 0.5)),
              key=lambda place: -np.linalg.norm(place - EYE.position_m))  # fmt: skip
    np.testing.assert_allclose(far, hidden.mean(axis=0))
    picture = overlay.draw(GREY, EYE, estimate())
    u, v = np.round(EYE.project(hidden[0] + 0.4 * (hidden[1] - hidden[0]))[0] - 0.5).astype(int)
    near = picture[v - 1 : v + 2, u - 1 : u + 2].reshape(-1, 3)
    assert not np.any(np.all(near == overlay.BLOCK, axis=-1))


def test_the_less_sure_the_larger_the_ellipse():
    assert drawn(sigma_m=0.05).sum() > drawn().sum() + 100


def test_grey_images_and_images_of_16_bits_are_drawn_on_too():
    expected = overlay.draw(GREY, EYE, estimate())
    np.testing.assert_array_equal(overlay.draw(GREY[..., 0], EYE, estimate()), expected)
    np.testing.assert_array_equal(overlay.draw(GREY.astype(np.uint16) * 257, EYE, estimate()), expected)


def test_of_a_block_behind_the_camera_only_the_label_is_drawn():
    away = Camera.looking_at((1.2, 0.5, 0.8), (2.0, 1.0, 0.8), 900.0, 640, 480)
    assert not drawn(camera=away).any()
