"""The second look: a picture around a rough estimate, turned, and all corners told apart."""

from itertools import cycle

import numpy as np
import pytest
from fixtures_bundle import upright

from perception import crop
from perception.adjustment import Observations, Pose
from perception.angles import difference
from perception.bundle import Channel, Crop, Heatmaps, Input, Manifest
from perception.camera import Camera
from perception.refinement import SecondLook, evidence_of
from perception.resection import Resection
from perception.robot import Robot
from perception.search import Looking
from perception.sight import Frame, Sight

ROBOT = Robot.load()
JOINTS = ROBOT.with_open_fingers([0.1, -0.4, 0.0, -2.3, 0.0, 1.9, 0.8])
SIZE, SIGMA = (96, 72), 1.25
PARTS = [
    (0.0, 0.0, 0.0),
    (0.0, 0.0, 1.0),
    *((x, y, z) for z in (0.0, 1.0) for x in (-0.5, 0.5) for y in (-0.5, 0.5)),
]
OUTPUT = Heatmaps(
    width=SIZE[0] // 2,
    height=SIZE[1] // 2,
    sigma=SIGMA,
    channels=tuple(Channel(name=name, kind="block", parts=(part,)) for name, part in zip(
        ("block_centre", "block_top", *(f"corner_{i}" for i in range(8))), PARTS, strict=True
    )),
)  # fmt: skip
MANIFEST = Manifest(
    name="block",
    version="0.0.1",
    task="localization.block",
    robot="panda",
    frame="image",
    input=Input(width=SIZE[0], height=SIZE[1]),
    output=OUTPUT,
    crop=Crop(side_m=crop.BLOCK_SIDE_M),
)
EYES = [
    Camera.looking_at((1.3 * np.cos(a), 1.3 * np.sin(a), h), (0.4, 0.0, 0.1), 620.0, 640, 480)
    for a, h in ((-0.9, 0.8), (0.2, 1.0), (1.0, 0.6))
]


def picture():
    """(480, 640, 3) whose colours say where each pixel is."""
    v, u = np.mgrid[0:480, 0:640] + 0.5
    return np.round(255 * np.stack([u / 640, v / 640, 0 * u], axis=-1)).astype(np.uint8)


def ideal(block: Pose, blind: bool = False):
    """A network that reads off the picture's colours where it was cut, and knows the cameras in their order."""

    def run(pictures):
        maps = []
        for own, camera in zip(pictures, cycle(EYES), strict=False):  # hypothesis after hypothesis
            y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
            design = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=-1)
            to_image, *_ = np.linalg.lstsq(design, own[..., :2].reshape(-1, 2) * (640 / 255), rcond=None)
            places = (camera.project(block.points(np.array(PARTS)))[0] - to_image[2]) @ np.linalg.inv(to_image[:2])
            left, right = places[[2, 3, 6, 7]].mean(axis=0), places[[4, 5, 8, 9]].mean(axis=0)
            if right[0] < left[0]:
                places = places[[0, 1, 5, 4, 3, 2, 9, 8, 7, 6]]
            columns, rows = np.meshgrid(np.arange(OUTPUT.width) + 0.5, np.arange(OUTPUT.height) + 0.5)
            cells = places / 2
            squared = (columns - cells[:, 0, None, None]) ** 2 + (rows - cells[:, 1, None, None]) ** 2
            bell = np.exp(-0.5 * squared / SIGMA**2) / (2 * np.pi * SIGMA**2)
            maps.append(np.log((1e-9 if blind else 1.0) * bell + 1e-12))
        return np.array(maps, np.float32)

    return run


def looks():
    """Whose own maps do not matter here."""
    frame = Frame.whole(picture(), OUTPUT)
    sight = Sight(JOINTS, frame, OUTPUT, np.zeros((10, OUTPUT.height, OUTPUT.width), np.float32))
    return [Looking(sight, i, Resection(eye, np.eye(7) * 1e-6, np.ones(9, bool))) for i, eye in enumerate(EYES)]


def robot():
    """Exact points of the arm in all views, which hold the cameras."""
    points = ROBOT.points(JOINTS, [(link, (0.0, 0.0, 0.0)) for link in ROBOT.links])
    points = np.concatenate([points, points + np.array((0.03, 0.02, 0.01))])
    return Observations.join(
        [
            Observations(
                np.full(len(points), i),
                eye.project(points)[0],
                np.tile(0.01 * np.eye(2), (len(points), 1, 1)),
                np.zeros(len(points), bool),
                points,
            )
            for i, eye in enumerate(EYES)
        ]
    )


def look_again(network, *blocks: Pose):
    """What a network that knows the truth says of some blocks, the cameras being known."""
    return SecondLook(MANIFEST, network, looks(), [picture()] * 3, robot())(EYES, blocks)


@pytest.mark.parametrize("yaw", [0.0, 0.4, 1.2, 1.57, 2.5, 3.1])
def test_a_rough_estimate_becomes_exact_whatever_end_is_called_first(yaw):
    block = upright(0.45, 0.05, yaw, (0.1, 0.042, 0.05))
    for turn in (0.0, np.pi):
        (looked,) = look_again(ideal(block), upright(0.462, 0.041, yaw + turn + 0.25, (0.085, 0.04, 0.045)))
        found = looked.adjusted.block
        assert np.linalg.norm(found.position - block.position) < 1e-3
        assert abs(difference(found.yaw_rad, yaw, np.pi)) < np.deg2rad(0.6)
        np.testing.assert_allclose(found.size, block.size, atol=2e-3)
        np.testing.assert_allclose(looked.seen, 1.0, atol=0.02)


def test_a_network_that_finds_nothing_says_so_and_adjusts_nothing():
    (looked,) = look_again(ideal(upright(0.45, 0.05, 0.3), blind=True), upright(0.45, 0.05, 0.3))
    assert looked.adjusted is None
    np.testing.assert_allclose(looked.seen, 0.0, atol=0.01)


def test_of_two_hypotheses_the_one_without_a_block_is_told_and_left_as_it_is():
    block = upright(0.45, 0.05, 0.3)
    right, wrong = look_again(ideal(block), upright(0.455, 0.045, 0.4), upright(0.25, -0.3, 0.4))
    assert np.linalg.norm(right.adjusted.block.position - block.position) < 1e-3
    assert wrong.adjusted is None and wrong.seen.max() < 0.1
    assert right.evidence > 2 > -2 > wrong.evidence


def test_a_view_is_never_taken_for_quite_sure():
    assert evidence_of(np.array([0.0, 1.0])) == pytest.approx(0.0)
    assert np.isfinite(evidence_of(np.zeros(6)))
    assert evidence_of(np.array([0.9, 0.9])) > evidence_of(np.array([0.9])) > 0


def test_a_turned_picture_shows_what_its_frame_says():
    window = crop.Rectangle(np.array([[0.6, -0.8], [0.8, 0.6]]) * 1.5, np.array([250.0, 90.0]), SIZE)
    own = crop.cut(picture(), window)
    assert own.shape == (SIZE[1], SIZE[0], 3)
    for x, y in ((10, 10), (80, 20), (48, 60)):
        wanted = window.linear @ (x + 0.5, y + 0.5) + window.origin
        np.testing.assert_allclose(own[y, x, :2].astype(float) * 640 / 255, wanted, atol=3.0)
    frame = Frame.rectangle(window, OUTPUT)
    np.testing.assert_allclose(frame.to_pixels(frame.to_cells(np.array([300.0, 150.0]))), (300.0, 150.0))
    assert frame.covers(frame.to_pixels(np.array([5.0, 5.0]))) and not frame.covers(np.array([0.0, 0.0]))


def test_a_block_behind_the_camera_has_no_picture():
    behind = EYES[0].position_m + np.array((1.0, -1.0, 0.5))
    assert crop.block_window(EYES[0], behind, behind, behind + 0.1, SIZE, crop.BLOCK_SIDE_M) is None
