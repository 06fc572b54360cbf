"""Lenses move points where they say, and sensors do to the light what they say."""

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fixtures_renderers import centroid, opened
from fixtures_scenes import BLACK, EVEN, WHITE, camera, cluttered, pose, table
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.camera import Camera
from sim.optics import from_image, photograph, to_image
from sim.renderers import Frame, Shot
from sim.scene import DISTRACTOR, Body, Lens, Sensor, View
from sim.sensor import develop

LENSES = [
    Lens(),
    Lens((12.0, -7.5)),
    Lens((0.0, 0.0), -0.25, 0.06),
    Lens((-9.0, 5.0), 0.3, -0.05),
    Lens((4.0, 14.0), -0.12),
]
EVERYTHING = Sensor(0.3, 4.0, 0.5, 1.2, 0.3, (1.1, 0.9), 0.03, 0.01, 75, 7)


@pytest.fixture(scope="module")
def renderer():
    made = opened("tiny")
    yield made
    made.close()


def grey_frame(value=128, width=224, height=224) -> Frame:
    return Frame(
        np.full((height, width, 3), value, np.uint8),
        np.ones((height, width), np.float32),
        np.zeros((height, width), np.uint8),
    )


def seen(sensor: Sensor, frame: Frame | None = None, shot: Shot | None = None) -> np.ndarray:
    """rgb of a picture of 224 x 224 px that the sensor makes of a frame."""
    shot = shot or Shot.whole(Camera(300.0, 224, 224, np.eye(4)))
    return develop(frame or grey_frame(), shot, View(shot.camera, sensor=sensor)).rgb


def noisy_frame(width=224, height=224) -> Frame:
    rgb = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return replace(grey_frame(), rgb=np.ascontiguousarray(np.kron(rgb, np.ones((8, 8, 1), np.uint8))))


@given(
    st.floats(-0.4, 0.4),
    st.floats(-0.1, 0.1),
    st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
    st.tuples(st.floats(0, 640), st.floats(0, 480)),
)
@settings(max_examples=60, deadline=None)
def test_a_lens_can_be_undone(k1, k2, shift_px, pixel):
    view = View(camera(focal_px=700.0, size=(640, 480)), Lens(shift_px, k1, k2))
    assert to_image(view, from_image(view, np.array(pixel))) == pytest.approx(np.array(pixel), abs=0.02)


def test_distortion_is_browns():
    view = View(camera(focal_px=500.0, size=(640, 480)), Lens((3.0, -2.0), -0.2, 0.1))
    x, y = 0.3, -0.2
    square = x * x + y * y
    scale = 1 - 0.2 * square + 0.1 * square**2
    found = to_image(view, np.array([[320 + 500 * x, 240 + 500 * y], [np.nan, 1.0]]))
    assert found[0] == pytest.approx((323 + 500 * x * scale, 238 + 500 * y * scale))
    assert np.isnan(found[1]).all()
    assert to_image(view, np.array([320.0, 240.0])) == pytest.approx((323.0, 238.0))


def test_what_is_far_outside_is_not_folded_into_the_picture():
    """The polynomial of a barrel lens turns back at a radius of 1 / sqrt(-3 k1) focal lengths."""
    view = View(camera(focal_px=500.0, size=(640, 480)), Lens((0.0, 0.0), -0.4))
    outward = to_image(view, np.stack([np.linspace(320, 6000, 200), np.full(200, 240.0)], axis=1))[:, 0]
    assert (np.diff(outward) > 0).all()


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("window", [None, (120.3, 71.2, 250.3, 181.2)], ids=["whole", "crop"])
def test_points_lie_in_the_photograph_where_the_lens_puts_them(renderer, lens, window):
    """Small white balls on black: the centroids of what is drawn, against the projections of their middles."""
    middles = [(0.5, 0.1, 0.1), (0.7, -0.1, 0.25), (0.35, -0.25, 0.35), (0.25, 0.35, 0.3), (0.55, 0.3, 0.05)]
    balls = [Body("sphere", pose(*place), WHITE, DISTRACTOR, (0.03,) * 3) for place in middles]
    scene = table(environment=EVEN, lights=())
    scene = replace(
        scene,
        robot_materials=(BLACK,),
        block=replace(scene.block, material=BLACK),
        bodies=(replace(scene.bodies[0], material=BLACK), *balls),
    )
    view = View(scene.cameras[0], lens)
    shot = Shot.whole(view.camera) if window is None else Shot(view.camera, *window, 130, 110)
    frame = photograph(renderer, scene, [shot], [view])[0]
    count = 0
    for middle in middles:
        place = shot.from_image(to_image(view, view.camera.project(middle)[0]))
        if not (10 < place[0] < shot.width - 10 and 10 < place[1] < shot.height - 10):
            continue
        left, top = (place - 8).astype(int)
        patch = frame.rgb[top : top + 16, left : left + 16].mean(axis=2)
        if (frame.segmentation[top : top + 16, left : left + 16] == DISTRACTOR).sum() > 15:
            count += 1
            assert centroid(patch) + np.array([left, top]) == pytest.approx(place, abs=0.3)
    assert count >= (4 if window is None else 1)


@pytest.mark.parametrize("lens", LENSES)
def test_labels_and_depth_pass_the_lens_with_the_picture(renderer, lens):
    """Each pixel of the photograph has label and depth of the pinhole's pixel where its light comes from."""
    scene = cluttered()
    view = View(scene.cameras[0], lens)
    shot = Shot.whole(view.camera)
    taken = photograph(renderer, scene, [shot], [view])[0]
    fine = renderer.render(scene, [Shot(view.camera, -80, -60, 400, 300, 960, 720, 1.0)])[0]
    u, v = np.meshgrid(np.arange(shot.width) + 0.5, np.arange(shot.height) + 0.5)
    places = ((from_image(view, np.stack([u, v], axis=-1)) + np.array([80, 60])) * 2).astype(int)
    assert (places >= 0).all()
    assert (places < (960, 720)).all()
    expected = fine.segmentation[places[..., 1], places[..., 0]]
    assert np.mean(expected == taken.segmentation) > 0.985
    known = np.isfinite(taken.depth) & (expected == taken.segmentation)
    depth = np.abs(fine.depth[places[..., 1], places[..., 0]][known] - taken.depth[known])
    assert np.median(depth) < 5e-3
    assert taken.rgb.shape == (240, 320, 3)


def test_the_default_lens_and_sensor_leave_the_picture_as_it_is(renderer):
    scene = cluttered()
    shot = Shot.whole(scene.cameras[0])
    plain = renderer.render(scene, [shot])[0]
    taken = photograph(renderer, scene, [shot], [View(shot.camera, sensor=Sensor(seed=3))])[0]
    assert np.array_equal(plain.rgb, taken.rgb)
    assert np.array_equal(plain.depth, taken.depth)


def test_a_photograph_is_a_function_of_its_arguments(renderer):
    scene = cluttered()
    view = View(scene.cameras[0], LENSES[2], EVERYTHING)
    shot = Shot.whole(view.camera)
    first = photograph(renderer, scene, [shot], [view])[0]
    other = View(scene.cameras[1], LENSES[3], replace(EVERYTHING, seed=8))
    photograph(renderer, scene, [Shot.whole(other.camera)], [other])
    assert np.array_equal(first.rgb, photograph(renderer, scene, [shot], [view])[0].rgb)
    reseeded = replace(view, sensor=replace(EVERYTHING, seed=8))
    assert not np.array_equal(first.rgb, photograph(renderer, scene, [shot], [reseeded])[0].rgb)


def test_exposure_and_white_balance_are_gains_of_light():
    linear = ((128 / 255 + 0.055) / 1.055) ** 2.4
    pixel = seen(Sensor(exposure_ev=1.0, white_balance=(0.5, 1.25)))[100, 100] / 255
    light = np.where(pixel <= 0.04045, pixel / 12.92, ((pixel + 0.055) / 1.055) ** 2.4)
    assert light == pytest.approx(linear * np.array([1.0, 2.0, 2.5]), rel=0.02)
    assert seen(Sensor(exposure_ev=4.0))[0, 0].tolist() == [255, 255, 255], "no light wraps around"


def test_noise_is_as_strong_as_it_says_and_has_no_bias():
    for value, sensor, deviation in [
        (128, Sensor(read_noise=0.02), 0.02),
        (230, Sensor(shot_noise=0.04), 0.04 * np.sqrt(230 / 255)),
        (128, Sensor(shot_noise=0.03, read_noise=0.02), np.hypot(0.02, 0.03 * np.sqrt(128 / 255))),
    ]:
        noise = (seen(sensor, grey_frame(value)).astype(float) - value) / 255
        assert noise.std() == pytest.approx(deviation, rel=0.08)
        assert abs(noise.mean()) < 0.001
        assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.02
        assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


def test_noise_covers_pictures_larger_than_its_tile():
    frame = grey_frame(128, 1200, 60)
    shot = Shot.whole(Camera(300.0, 1200, 60, np.eye(4)))
    assert seen(Sensor(read_noise=0.02), frame, shot).std() == pytest.approx(0.02 * 255, rel=0.1)


def test_vignetting_darkens_the_corners_of_the_image_and_a_crop_sees_its_part():
    whole = Shot.whole(Camera(300.0, 224, 224, np.eye(4)))
    picture = seen(Sensor(vignetting=0.5), shot=whole)
    middle, corner = picture[112, 112, 0], picture[0, 0, 0]
    assert middle == 128
    light = [((value / 255 + 0.055) / 1.055) ** 2.4 for value in (corner, middle)]
    assert light[0] / light[1] == pytest.approx(0.5, abs=0.02)
    crop = Shot(whole.camera, 100, 20, 156, 76, 56, 56)
    part = seen(Sensor(vignetting=0.5), grey_frame(128, 56, 56), crop)
    assert np.array_equal(part, picture[20:76, 100:156])


def test_blur_and_smear_widen_an_edge_in_their_directions_and_move_nothing():
    frame = grey_frame(0)
    frame.rgb[108:116, 108:116] = 255

    def spread(sensor):
        light = cv2.LUT(seen(sensor, frame)[..., 0], ((np.arange(256) / 255) ** 2.2).astype(np.float32))
        assert centroid(light) == pytest.approx((112, 112), abs=0.02)
        steps = np.arange(224) + 0.5 - 112
        return [np.sqrt((light.sum(axis=axis) * steps**2).sum() / light.sum()) for axis in (0, 1)]

    square = np.sqrt(8**2 / 12)
    assert spread(Sensor(blur_px=2.0)) == pytest.approx([np.hypot(square, 2.0)] * 2, rel=0.05)
    along, across = spread(Sensor(motion_px=9.0))
    assert along == pytest.approx(np.hypot(square, 9 / np.sqrt(12)), rel=0.05)
    assert across == pytest.approx(square, rel=0.03)
    along, across = spread(Sensor(motion_px=9.0, motion_rad=np.pi / 2))
    assert across > along


def test_blur_is_in_pixels_of_the_cameras_image():
    """A crop that is drawn twice as large is blurred twice as far."""
    frame = grey_frame(0)
    frame.rgb[:, 112:] = 255
    magnified = Shot(Camera(300.0, 224, 224, np.eye(4)), 0.0, 0.0, 112.0, 112.0, 224, 224)
    rise = [seen(Sensor(blur_px=4.0), frame, shot)[100, :, 0].astype(float) for shot in (None, magnified)]
    widths = [np.sum((row > 25) & (row < 230)) for row in rise]
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)


def test_jpeg_has_its_blocks_and_keeps_the_colours():
    frame = noisy_frame()
    frame = replace(frame, rgb=cv2.GaussianBlur(frame.rgb, (0, 0), 3))
    strong, weak = (seen(Sensor(jpeg=quality), frame).astype(int) - frame.rgb for quality in (10, 95))
    assert np.abs(weak).mean() < 2 < np.abs(strong).mean()
    assert np.abs(strong.mean(axis=(0, 1))).max() < 2, "red stays red"


def test_all_of_it_takes_a_few_milliseconds():
    """The budget is 3 ms a picture of 224 x 224 px; a busy machine gets ten times that."""
    frame, shot = noisy_frame(), Shot.whole(Camera(300.0, 224, 224, np.eye(4)))
    seen(EVERYTHING, frame, shot)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        seen(EVERYTHING, frame, shot)
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.03
