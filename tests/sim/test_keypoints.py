"""Where keypoints are in a shot, and whether they are seen there."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from perception.camera import Camera
from sim.keypoints import (
    BLOCK_CHANNELS,
    CORNER_CHANNELS,
    HIDING_M,
    OCCLUDED,
    OUTSIDE,
    VISIBLE,
    channels,
    locate,
    points_of,
    visibility,
)
from sim.renderers import Frame, Shot
from sim.robots import known_descriptions, load_robot
from sim.scene import BLOCK as BLOCK_LABEL
from sim.scene import ROBOT, SUPPORT, Block, Environment, Lens, Material, Scene, View

SIZE = (320, 240)
BLOCK = len(BLOCK_CHANNELS)
GREY = Material((0.5, 0.5, 0.5))


@pytest.fixture(scope="module", params=known_descriptions())
def robot(request):
    return load_robot(request.param)


def scene_of(robot, lens=None):
    target = (*robot.camera_target_m[:2], 0.3)
    camera = Camera.looking_at((1.6, -1.2, 1.1), target, 1.1 * SIZE[0], *SIZE)
    return Scene(
        seed=0,
        index=0,
        robot=robot.name,
        joints=robot.home,
        robot_materials=(GREY,),
        block=Block((0.1, 0.04, 0.05), float(np.mean(robot.reach_m)), 0.1, 0.5, GREY),
        bodies=(),
        lights=(),
        environment=Environment(),
        views=(View(camera, lens or Lens()),),
    )


def empty_frame(label, depth):
    shape = (SIZE[1], SIZE[0])
    return Frame(np.zeros((*shape, 3), np.uint8), np.full(shape, depth, np.float32), np.full(shape, label, np.uint8))


def points(robot, scene):
    return points_of(channels("coarse", robot), scene, robot)


def seen(robot, scene, frame, shot=None, view=None):
    camera = scene.views[0].camera
    return visibility(points(robot, scene), shot or Shot.whole(camera), frame, view)


def test_channels_follow_the_robot_and_the_task(robot):
    expected = {"coarse": (robot.overview, BLOCK_CHANNELS), "fine": (robot.close_up, BLOCK_CHANNELS)}
    for task, (keypoints, block) in (expected | {"tool": (robot.overview, ())}).items():
        found = channels(task, robot)
        assert [channel.name for channel in found] == [one.name for one in (*keypoints, *block)]
        assert [channel.modes for channel in found] == [len(one.places) for one in (*keypoints, *block)]
    assert channels("block", robot) == CORNER_CHANNELS


def test_the_points_of_a_channel_of_the_block_change_places_by_half_a_turn():
    for channel in BLOCK_CHANNELS:
        turned = {(-x, -y, z) for _, (x, y, z) in channel.places}
        assert turned == {place for _, place in channel.places}, channel.name
    corners = {place for channel in CORNER_CHANNELS[2:] for _, place in channel.places}
    assert corners == set(product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0)))


def test_points_are_where_the_camera_projects_them(robot):
    scene = scene_of(robot)
    camera = scene.views[0].camera
    placed = locate(points(robot, scene), Shot.whole(camera))
    for row, keypoint in zip(placed, robot.overview, strict=False):
        np.testing.assert_allclose(row[0], camera.project(robot.robot.points(robot.home, keypoint.places))[0][0])
    half = locate(points(robot, scene), Shot(camera, 40, 20, 200, 140, 80, 60))
    np.testing.assert_allclose(half, (placed - (40, 20)) / 2)
    pose, size = scene.block.T_base_block, np.array(scene.block.size_m)
    for row, channel in zip(placed[-BLOCK:], BLOCK_CHANNELS, strict=True):
        corners = pose[:3, 3] + np.array([place for _, place in channel.places]) * size @ pose[:3, :3].T
        np.testing.assert_allclose(row[: len(corners)], camera.project(corners)[0])


def test_points_follow_the_lens(robot):
    scene = scene_of(robot, Lens(shift_px=(7.0, -3.0)))
    shot, view = Shot.whole(scene.views[0].camera), scene.views[0]
    placed = points(robot, scene)
    np.testing.assert_allclose(locate(placed, shot, view), locate(placed, shot) + np.array((7.0, -3.0)))


def test_a_point_is_visible_where_the_pixel_shows_its_own_body_however_near(robot):
    scene = scene_of(robot)
    state = seen(robot, scene, empty_frame(ROBOT, 0.1))
    assert (state[:-BLOCK] == VISIBLE).all() and (state[-BLOCK:] == OCCLUDED).all()
    state = seen(robot, scene, empty_frame(BLOCK_LABEL, 0.1))
    assert (state[:-BLOCK] == OCCLUDED).all() and (state[-BLOCK:] == VISIBLE).all()


def test_elsewhere_it_is_visible_unless_something_nearer_covers_it(robot):
    scene = scene_of(robot)
    camera = scene.views[0].camera
    depth = float(camera.project(scene.block.T_base_block[:3, 3])[1])
    for nearer, expected in ((HIDING_M / 2, VISIBLE), (2 * HIDING_M, OCCLUDED), (-1.0, VISIBLE)):
        assert (seen(robot, scene, empty_frame(SUPPORT, depth - nearer))[-BLOCK] == expected).all()
    assert (seen(robot, scene, empty_frame(0, np.inf)) == VISIBLE).all()


def test_points_outside_the_shot_or_behind_the_camera_are_neither(robot):
    scene = scene_of(robot)
    camera = scene.views[0].camera
    corner = Shot(camera, 0.0, 0.0, 4.0, 3.0, *SIZE)
    assert (seen(robot, scene, empty_frame(ROBOT, 1.0), corner) == OUTSIDE).all()
    behind = Camera.looking_at(camera.position_m, 2 * camera.position_m, camera.focal_px, *SIZE)
    turned = replace(scene, views=(View(behind),))
    assert (seen(robot, turned, empty_frame(ROBOT, 1.0)) == OUTSIDE).all()


def test_in_a_picture_most_points_of_the_robot_and_the_free_block_are_visible(robot):
    pytest.importorskip("pybullet")
    from sim.renderers import open_renderer

    scene, renderer = scene_of(robot), open_renderer("tiny")
    camera = scene.views[0].camera
    frame = renderer.render(scene, [Shot.whole(camera)])[0]
    renderer.close()
    state = seen(robot, scene, frame)
    assert (state[-BLOCK:] == VISIBLE).all()
    assert (state[:-BLOCK, 0] == VISIBLE).mean() > 0.8


def test_what_is_absent_has_no_points(robot):
    scene = scene_of(robot)
    frame = empty_frame(SUPPORT, 1.0)
    for absent, rows in ((BLOCK_LABEL, slice(-BLOCK, None)), (ROBOT, slice(None, -BLOCK))):
        found = points(robot, replace(scene, absent=(absent,)))
        gone = np.isnan(found.xyz).all(axis=(1, 2))
        expected = np.zeros(len(gone), bool)
        expected[rows] = True
        np.testing.assert_array_equal(gone, expected)
        assert (seen(robot, replace(scene, absent=(absent,)), frame)[expected] == OUTSIDE).all()
