"""The software renderer: equal arguments give equal bytes, and its traps stay closed."""

import dataclasses
import resource

import cv2
import numpy as np
import pytest

from perception.robot import Robot
from sim.keypoints import CHANNELS, locate
from sim.randomization import sample_scene
from sim.renderers import RENDERERS, Shot, open_renderer
from sim.renderers.tiny import light_arguments
from sim.scene import Material

SIZE = (192, 144)


@pytest.fixture(scope="module")
def renderer():
    opened = open_renderer("tiny")
    yield opened
    opened.close()


def shots(scene, oversampling=1.25):
    return [Shot.whole(camera, *SIZE, oversampling) for camera in scene.cameras]


def picture(renderer, scene):
    return renderer.render(scene, shots(scene)[:1])[0]


def with_light(scene, **changes):
    return dataclasses.replace(scene, light=dataclasses.replace(scene.light, **changes))


def test_equal_scenes_give_equal_bytes_whatever_was_drawn_before(renderer):
    scene, other = sample_scene("coarse", 3, 0), sample_scene("coarse", 3, 1)
    first = picture(renderer, scene)
    renderer.render(
        with_light(other, ambient=0.9, rgb=(1.0, 0.2, 0.2), shadow=not scene.light.shadow), shots(other)
    )
    again = picture(renderer, scene)
    assert np.array_equal(first.rgb, again.rgb)
    assert np.array_equal(first.depth, again.depth)
    fresh = open_renderer("tiny")
    try:
        assert np.array_equal(picture(fresh, scene).rgb, first.rgb)
    finally:
        fresh.close()


@pytest.mark.parametrize(
    "change", [{"ambient": 0.95}, {"rgb": (1.0, 0.3, 0.3)}, {"direction": (-1.0, -1.0, 0.6)}]
)
def test_every_light_argument_has_an_effect(renderer, change):
    scene = with_light(sample_scene("coarse", 3, 0), direction=(1.0, 1.0, 1.0), shadow=False)
    difference = picture(renderer, scene).rgb.astype(int) - picture(renderer, with_light(scene, **change)).rgb
    assert np.abs(difference).mean() > 1


def test_a_light_straight_above_is_moved_aside(renderer):
    scene = with_light(sample_scene("coarse", 3, 2), shadow=True)
    above = with_light(scene, direction=(0.0, 0.0, 1.0))
    assert np.hypot(*light_arguments(above.light)["lightDirection"][:2]) > 0.1
    near = with_light(scene, direction=(0.06, 0.0, 1.0))
    difference = picture(renderer, above).rgb.astype(int) - picture(renderer, near).rgb
    assert np.abs(difference).mean() < 3, "as lit as by a light that is nearly above"
    assert picture(renderer, above).rgb.std() > 5


def test_drawing_more_scenes_takes_no_more_memory(renderer):
    for index in range(3):
        picture(renderer, sample_scene("coarse", 3, index))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(3, 33):
        picture(renderer, sample_scene("coarse", 3, index))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 20 * 1024, f"{grown_kib} KiB more after 30 scenes"


def bright_block(index):
    """A scene with a red block and everything else black, in even light."""
    scene = sample_scene("fine", 5, index)
    black, red = Material((0.0, 0.0, 0.0)), Material((1.0, 0.0, 0.0))
    scene = with_light(scene, ambient=0.9, diffuse=0.1, specular=0.0, shadow=False, rgb=(1.0, 1.0, 1.0))
    joints = np.array([np.pi if scene.block.x_m > 0 else 0.0, -0.6, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04])
    block = dataclasses.replace(scene.block, material=red)
    joints[0] = np.clip(np.arctan2(-block.y_m, -block.x_m), -2.9, 2.9)  # the arm turns its back on the block
    return dataclasses.replace(
        scene, joints=joints, block=block, plane=black, background=black, robot_light=black, robot_dark=black
    )


def corners(block, height):
    axis, side = block.axis, np.array([-block.axis[1], block.axis[0], 0.0])
    half, wide = block.size_m[0] / 2 * axis, block.size_m[1] / 2 * side
    centre = np.array([block.x_m, block.y_m, height])
    return centre + np.stack([half + wide, half - wide, -half - wide, -half + wide])


@pytest.mark.parametrize("index", range(4))
def test_pixels_lie_where_the_camera_projects_them(renderer, index):
    """The block's silhouette is that of its projected corners, its centroid to less than half a pixel."""
    scene = bright_block(index)
    block, camera = scene.block, scene.cameras[0]
    red = renderer.render(scene, [Shot.whole(camera, oversampling=2.0)])[0].rgb[..., 0]
    red = red > red.max() / 4
    shape = np.concatenate([corners(block, 0.0), corners(block, block.size_m[2])])
    hull = cv2.moments(cv2.convexHull(camera.project(shape)[0].astype(np.float32)))
    assert red.sum() == pytest.approx(hull["m00"], rel=0.08)
    rows, columns = np.nonzero(red)
    found = columns.mean() + 0.5, rows.mean() + 0.5
    assert found == pytest.approx((hull["m10"] / hull["m00"], hull["m01"] / hull["m00"]), abs=0.45)
    top = camera.project(np.array([block.x_m, block.y_m, block.size_m[2]]))[0]
    assert red[int(top[1]), int(top[0])]


def test_a_crop_shows_what_the_whole_image_shows_there(renderer):
    scene = bright_block(0)
    camera = scene.cameras[0]
    u, v = camera.project(np.array([scene.block.x_m, scene.block.y_m, 0.02]))[0]
    crop = Shot(camera, u - 40, v - 40, u + 40, v + 40, 160, 160, 2.0)
    red = renderer.render(scene, [crop])[0].rgb[..., 0] > 100
    rows, columns = np.nonzero(red)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    shape = np.concatenate([corners(scene.block, 0.0), corners(scene.block, scene.block.size_m[2])])
    points = crop.from_image(camera.project(shape)[0])
    assert box == pytest.approx(np.concatenate([points.min(axis=0), points.max(axis=0)]), abs=1.5)
    placed = locate(CHANNELS["fine"], scene, crop, Robot.load("panda"))
    centre = camera.project(np.array([scene.block.x_m, scene.block.y_m, 0.0]))[0]
    assert placed[-2, 0] == pytest.approx((centre - (u - 40, v - 40)) * 2)


def test_a_pose_on_the_support_is_the_same_picture_and_a_lifted_one_is_not(renderer):
    scene = bright_block(1)
    block = scene.block
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = block.axis, (-block.axis[1], block.axis[0], 0.0)
    pose[:3, 3] = block.x_m, block.y_m, 0.0
    lying = dataclasses.replace(scene, block=dataclasses.replace(block, pose=pose))
    assert np.mean(picture(renderer, scene).rgb != picture(renderer, lying).rgb) < 0.001
    raised = pose.copy()
    raised[2, 3] = 0.2
    lifted = dataclasses.replace(scene, block=dataclasses.replace(block, pose=raised))
    rows = [np.nonzero(picture(renderer, one).rgb[..., 0] > 60)[0].mean() for one in (lying, lifted)]
    assert rows[1] < rows[0] - 3, "higher in the image"


def test_depth_is_the_distance_along_the_optical_axis(renderer):
    scene = bright_block(2)
    camera = scene.cameras[0]
    depth = renderer.render(scene, [Shot.whole(camera)])[0].depth
    point = np.array([scene.block.x_m, scene.block.y_m, scene.block.size_m[2]])
    (u, v), distance = camera.project(point)
    assert depth[int(v), int(u)] == pytest.approx(distance, abs=0.01)


@pytest.mark.parametrize("name", RENDERERS)
def test_every_renderer_gives_frames_of_the_size_asked_for(name):
    opened = open_renderer(name)
    try:
        scene = sample_scene("coarse", 1, 0)
        for frame in opened.render(scene, [Shot.whole(camera, 80, 60) for camera in scene.cameras]):
            assert (frame.rgb.shape, frame.rgb.dtype) == ((60, 80, 3), np.uint8)
            assert (frame.depth.shape, frame.depth.dtype) == ((60, 80), np.float32)
    finally:
        opened.close()


def test_an_unknown_renderer_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="no renderer 'gpu'; choose one of: tiny"):
        open_renderer("gpu")
