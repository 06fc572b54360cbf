"""Where keypoints are in a shot, and whether they are seen there."""

from dataclasses import replace

import numpy as np
import pytest

from perception.camera import Camera
from sim.keypoints import HIDING_M, OCCLUDED, OUTSIDE, VISIBLE, channels, locate, points_of, visibility
from sim.renderers import Frame, Shot
from sim.robots import known_descriptions, load_robot
from sim.scene import BLOCK, ROBOT, SUPPORT, Block, Environment, Lens, Material, Scene, View

SIZE = (320, 240)
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
    for task, keypoints in (("coarse", robot.overview), ("fine", robot.close_up)):
        found = channels(task, robot)
        assert [channel.name for channel in found] == [k.name for k in keypoints] + ["block_centre", "block_ends"]
        assert [channel.modes for channel in found[:-2]] == [len(keypoint.places) for keypoint in keypoints]
    assert [(channel.name, channel.places) for channel in channels("tool", robot)] == [
        ("clamp", (("clamp", (0, 0, 0)),))
    ]


def test_points_are_where_the_camera_projects_them(robot):
    scene = scene_of(robot)
    camera = scene.views[0].camera
    placed = locate(points(robot, scene), Shot.whole(camera))
    for row, keypoint in zip(placed, robot.overview, strict=False):
        np.testing.assert_allclose(row[0], camera.project(robot.robot.points(robot.home, keypoint.places))[0][0])
    half = locate(points(robot, scene), Shot(camera, 40, 20, 200, 140, 80, 60))
    np.testing.assert_allclose(half, (placed - (40, 20)) / 2)
    pose = scene.block.T_base_block
    ends = pose[:3, 3] + np.outer((-0.05, 0.05), pose[:3, 0])
    np.testing.assert_allclose(placed[-1], camera.project(ends)[0])


def test_points_follow_the_lens(robot):
    scene = scene_of(robot, Lens(shift_px=(7.0, -3.0)))
    shot, view = Shot.whole(scene.views[0].camera), scene.views[0]
    placed = points(robot, scene)
    np.testing.assert_allclose(locate(placed, shot, view), locate(placed, shot) + np.array((7.0, -3.0)))


def test_a_point_is_visible_where_the_pixel_shows_its_own_body_however_near(robot):
    scene = scene_of(robot)
    state = seen(robot, scene, empty_frame(ROBOT, 0.1))
    assert (state[:-2] == VISIBLE).all() and (state[-2:] == OCCLUDED).all()
    state = seen(robot, scene, empty_frame(BLOCK, 0.1))
    assert (state[:-2] == OCCLUDED).all() and (state[-2:] == VISIBLE).all()


def test_elsewhere_it_is_visible_unless_something_nearer_covers_it(robot):
    scene = scene_of(robot)
    camera = scene.views[0].camera
    centre, _ = scene.block.points()
    depth = float(camera.project(centre)[1][0])
    for nearer, expected in ((HIDING_M / 2, VISIBLE), (2 * HIDING_M, OCCLUDED), (-1.0, VISIBLE)):
        assert (seen(robot, scene, empty_frame(SUPPORT, depth - nearer))[-2] == expected).all()
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
    assert (state[-2:] == VISIBLE).all()
    assert (state[:-2, 0] == VISIBLE).mean() > 0.8
