"""What every renderer keeps to, whatever it draws with."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_renderers import centroid, covered, each, opened, outline, rays
from fixtures_scenes import BLACK, EVEN, HAND_MADE, RED, camera, cluttered, pose, table, textured

from sim.renderers import Shot, open_renderer
from sim.renderers.agreement import overlap
from sim.scene import BLOCK, DISTRACTOR, NOTHING, ROBOT, SUPPORT, Body, Light, Material, View

SMALL = (120, 90)


@pytest.fixture(scope="module", params=each())
def renderer(request):
    made = opened(request.param)
    yield made
    made.close()


def small(scene, view=0):
    return Shot.whole(scene.cameras[view], *SMALL)


def same(one, other):
    return all(np.array_equal(getattr(one, layer), getattr(other, layer)) for layer in ("rgb", "depth", "segmentation"))


def red_block(size=(320, 240)):
    """A red block on a black table, in even light, seen from near; the robot is black too."""
    scene = table(robot_materials=(BLACK,), lights=(), environment=EVEN)
    bodies = tuple(replace(body, material=BLACK) for body in scene.bodies)
    near = camera((1.0, 0.5, 0.5), (0.46, 0.06, 0.08), focal_px=420.0, size=size)
    return replace(scene, bodies=bodies, views=(View(near),))


@pytest.mark.parametrize("name", HAND_MADE)
def test_equal_scenes_give_equal_bytes_whatever_was_drawn_before(renderer, name):
    scene = HAND_MADE[name]()
    first = renderer.render(scene, [small(scene)])[0]
    lights = (Light("directional", (0.0, -0.6, 0.8), (1.0, 0.2, 0.2), 0.9, shadow=False),)
    for other in (textured(), table(lights=lights), red_block()):
        renderer.render(other, [small(other, -1)])
    assert same(first, renderer.render(scene, [small(scene)])[0])


@pytest.mark.parametrize("name", each())
def test_a_fresh_renderer_draws_the_same(name):
    scene, drawn = cluttered(), []
    for _ in range(2):
        made = opened(name)
        try:
            drawn.append(made.render(scene, [small(scene)])[0])
        finally:
            made.close()
    assert same(*drawn)


@pytest.mark.parametrize("name", HAND_MADE)
def test_frames_have_the_shapes_and_types_that_are_promised(renderer, name):
    scene = HAND_MADE[name]()
    for frame, (width, height) in zip(
        renderer.render(scene, [Shot.whole(scene.cameras[0], *size) for size in (SMALL, (64, 64))]),
        (SMALL, (64, 64)),
        strict=True,
    ):
        assert (frame.rgb.shape, frame.rgb.dtype) == ((height, width, 3), np.uint8)
        assert (frame.depth.shape, frame.depth.dtype) == ((height, width), np.float32)
        assert (frame.segmentation.shape, frame.segmentation.dtype) == ((height, width), np.uint8)
        assert not np.isnan(frame.depth).any()
        assert (frame.depth > 0.1).all()
        assert frame.rgb.std() > 5, "there is something to see"


def test_nothing_is_infinitely_far_and_has_no_label(renderer):
    scene = table()
    frame = renderer.render(scene, [small(scene)])[0]
    assert np.array_equal(np.isinf(frame.depth), frame.segmentation == NOTHING)
    assert set(np.unique(frame.segmentation).tolist()) == {NOTHING, SUPPORT, ROBOT, BLOCK}
    upwards = replace(scene.cameras[0], T_camera_base=pose(0, 0, -5.0))
    empty = renderer.render(scene, [Shot.whole(upwards, 32, 24)])[0]
    assert np.isinf(empty.depth).all()
    assert not empty.segmentation.any()


def test_many_shots_are_the_same_as_one_at_a_time(renderer):
    scene = cluttered()
    shots = [small(scene), small(scene, 1), Shot(scene.cameras[0], 100, 60, 220, 150, 80, 60)]
    together = renderer.render(scene, shots)
    assert all(same(frame, renderer.render(scene, [shot])[0]) for frame, shot in zip(together, shots, strict=True))
    assert renderer.render(scene, []) == []


@pytest.mark.parametrize("name", HAND_MADE)
def test_a_crop_shows_what_the_whole_picture_shows_there(renderer, name):
    scene = HAND_MADE[name]()
    seen = scene.cameras[0]
    crop = Shot(seen, 120.0, 90.0, 216.0, 186.0, 96, 96)
    whole, part = renderer.render(scene, [Shot.whole(seen), crop])
    rows, columns = slice(90, 186), slice(120, 216)
    assert np.mean(whole.segmentation[rows, columns] == part.segmentation) > 0.999
    assert np.percentile(np.abs(whole.depth[rows, columns] - part.depth), 99) < 5e-4
    difference = np.abs(whole.rgb[rows, columns].astype(int) - part.rgb)
    assert difference.mean() < 1.5, "light and shadow too"


def test_a_window_may_reach_beyond_the_picture(renderer):
    scene = cluttered()
    seen = scene.cameras[0]
    wide = Shot(seen, -60.0, -40.0, seen.width + 20.0, seen.height + 40.0, seen.width + 80, seen.height + 80)
    whole, more = renderer.render(scene, [Shot.whole(seen), wide])
    middle = more.segmentation[40 : 40 + seen.height, 60 : 60 + seen.width]
    assert np.mean(whole.segmentation == middle) > 0.999


@pytest.mark.parametrize("size", [(320, 240), (200, 300)], ids=["landscape", "portrait"])
@pytest.mark.parametrize("oversampling", [1.0, 1.25, 2.0, 3.0])
def test_the_label_is_that_of_the_ray_through_the_pixel_centre(renderer, size, oversampling):
    scene = red_block(size)
    shot = Shot.whole(scene.cameras[0], oversampling=oversampling)
    frame = renderer.render(scene, [shot])[0]
    expected = covered(outline(scene.block, shot), *size) > 0
    assert expected.sum() > 200
    assert np.sum(expected != (frame.segmentation == BLOCK)) <= 0.01 * expected.sum()


@pytest.mark.parametrize("oversampling", [1.0, 1.25, 2.0, 3.0])
def test_colour_lies_where_the_camera_projects_it(renderer, oversampling):
    if type(renderer).__name__ == "CyclesRenderer":
        pytest.skip("where light bounces, a block's sides are darker than its top: see test_cycles_pictures.py")
    scene = red_block()
    u, v = scene.cameras[0].project(scene.block.T_base_block[:3, 3])[0]
    windows = [
        Shot.whole(scene.cameras[0], oversampling=oversampling),
        Shot(scene.cameras[0], u - 30, v - 22, u + 36, v + 31, 100, 90, oversampling),
    ]
    for shot, frame in zip(windows, renderer.render(scene, windows), strict=True):
        red = frame.rgb[..., 0].astype(float)
        share = covered(outline(scene.block, shot), shot.width, shot.height, finer=8)
        seen = np.where(covered(grown(outline(scene.block, shot)), shot.width, shot.height) > 0, red, 0)
        assert centroid(seen - seen.min()) == pytest.approx(centroid(share), abs=0.25)


def grown(polygon, by_px=3.0):
    middle = polygon.mean(axis=0)
    away = polygon - middle
    return middle + away * (1 + by_px / np.linalg.norm(away, axis=1, keepdims=True))


def test_colour_and_label_agree(renderer):
    scene = red_block()
    frame = renderer.render(scene, [Shot.whole(scene.cameras[0])])[0]
    red = frame.rgb[..., 0].astype(int) - frame.rgb[..., 1]
    block = frame.segmentation == BLOCK
    assert overlap(red > red[block].mean() / 2, block) > 0.9
    assert frame.rgb[(frame.segmentation == SUPPORT)].mean() < 40, "what is black is not lit"


def test_the_label_is_where_the_picture_changes_when_the_body_goes(renderer):
    scene = cluttered()
    shot = Shot.whole(scene.cameras[0])
    full = renderer.render(scene, [shot])[0]
    for label in (DISTRACTOR, DISTRACTOR + 1, DISTRACTOR + 3):
        less = replace(scene, bodies=tuple(body for body in scene.bodies if body.label != label))
        without = renderer.render(less, [shot])[0]
        changed = without.depth > full.depth + 1e-3
        assert overlap(changed, full.segmentation == label) > 0.97


def test_depth_is_the_distance_along_the_optical_axis(renderer):
    """Of the table, of the block's top and of a ball, against rays that meet them."""
    scene = cluttered()
    shot = Shot.whole(scene.cameras[0])
    frame = renderer.render(scene, [shot])[0]
    eye, directions = rays(shot)
    to_table = -eye[2] / directions[..., 2]
    table_seen = frame.segmentation == SUPPORT
    assert np.abs(frame.depth - to_table)[table_seen].max() < 2e-3
    height = scene.block.size_m[2]
    to_top = (height - eye[2]) / directions[..., 2]
    across = np.linalg.inv(scene.block.T_base_block)[:3]
    hit = (eye + to_top[..., None] * directions) @ across[:, :3].T + across[:, 3]
    on_top = (np.abs(hit[..., :2]) < np.array(scene.block.size_m[:2]) / 2 - 0.003).all(axis=-1)
    on_top &= frame.segmentation == BLOCK
    assert on_top.sum() > 50
    assert np.abs(frame.depth - to_top)[on_top].max() < 2e-3
    ball = next(body for body in scene.bodies if body.mesh == "sphere")
    offset, radius = eye - ball.pose[:3, 3], ball.scale[0] / 2
    square, half = (directions**2).sum(-1), directions @ offset
    root = np.sqrt(np.maximum(half**2 - square * (offset @ offset - radius**2), 0))
    on_ball = (frame.segmentation == ball.label) & (root > 0.4 * radius)
    assert on_ball.sum() > 100
    assert np.abs(frame.depth - (-half - root) / square)[on_ball].max() < 3e-3, "its mesh is 1 % smaller than a ball"


def test_a_block_in_the_air_is_drawn_in_its_pose(renderer):
    scene = red_block()
    lifted = replace(scene.block, pose=pose(0.5, 0.08, 0.25, 0.6, 0.5))
    scene = replace(scene, block=lifted)
    shot = Shot.whole(scene.cameras[0])
    frame = renderer.render(scene, [shot])[0]
    expected = covered(outline(lifted, shot), shot.width, shot.height) > 0
    assert np.sum(expected != (frame.segmentation == BLOCK)) <= 0.01 * expected.sum()


def test_what_is_nearer_hides_what_is_behind(renderer):
    scene = table()
    seen = scene.cameras[0]
    middle = scene.block.body.pose[:3, 3]
    between = middle + 0.3 * (seen.position_m - middle)
    screen = Body("box", pose(*between), Material((0.2, 0.2, 0.9)), DISTRACTOR, (0.3, 0.3, 0.3))
    hidden = replace(scene, bodies=(*scene.bodies, screen))
    frame = renderer.render(hidden, [Shot.whole(seen)])[0]
    assert BLOCK not in frame.segmentation
    assert (frame.segmentation == screen.label).sum() > 1000


def test_an_open_shell_is_seen_from_both_sides(renderer):
    """Parts of robots have holes, through which one sees the insides of their other faces."""
    scene = table(lights=(), environment=EVEN)
    seen = scene.cameras[0]
    upright = pose(0.5, 0.1, 0.2, 2.27, np.pi / 2)
    for turned in (0.0, np.pi):
        board = Body("plane", upright @ pose(0, 0, 0, 0.0, turned), RED, DISTRACTOR, (0.2, 0.2, 1.0))
        frame = renderer.render(replace(scene, bodies=(*scene.bodies, board)), [Shot.whole(seen)])[0]
        mask = frame.segmentation == DISTRACTOR
        assert mask.sum() > 500
        red, green, _ = frame.rgb[mask].mean(axis=0)
        assert red > 4 * green


def test_light_from_one_side_is_brighter_there_and_casts_a_shadow(renderer):
    lamp = Light("directional", (-0.7, -0.1, 0.7), intensity=0.8)
    scene = table(lights=(lamp,), environment=replace(EVEN, ambient=0.15))
    post = Body("box", pose(0.55, -0.2, 0.1), RED, DISTRACTOR, (0.06, 0.06, 0.2))
    scene = replace(scene, bodies=(*scene.bodies, post))
    seen = scene.cameras[0]
    lit, dark = (
        renderer.render(replace(scene, lights=(replace(lamp, shadow=shadow),)), [Shot.whole(seen)])[0]
        for shadow in (False, True)
    )

    def brightness(frame, place):
        u, v = seen.project(place)[0].astype(int)
        return float(frame.rgb[v - 1 : v + 2, u - 1 : u + 2].mean())

    behind, before = (0.67, -0.185, 0.0), (0.4, -0.23, 0.0)
    assert brightness(dark, behind) < 0.8 * brightness(lit, behind), "the post's shadow falls away from the lamp"
    assert brightness(dark, before) == pytest.approx(brightness(lit, before), rel=0.1)
    stronger = renderer.render(replace(scene, lights=(replace(lamp, intensity=0.4),)), [Shot.whole(seen)])[0]
    assert brightness(stronger, before) < 0.9 * brightness(lit, before)


def test_an_unknown_renderer_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="no renderer 'gpu'; choose one of: tiny"):
        open_renderer("gpu")
