"""Any two renderers show the same scene: labels, depths and the places of things."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_renderers import centroid, opened, pairs
from fixtures_scenes import BLACK, EVEN, HAND_MADE, WHITE, pose, table

from sim.randomization import preset, sample_scene
from sim.renderers import Frame, Renderer, Shot
from sim.renderers.agreement import LEAST_PX, agreement
from sim.robots import load_robot
from sim.scene import DISTRACTOR, Body, Scene

PRESETS = ("lab", "train", "field", "adv")


@pytest.fixture(scope="module")
def drawn():
    """A function of renderer, a name and a scene's shots that draws each once."""
    renderers: dict[str, Renderer] = {}
    frames: dict[tuple, list[Frame]] = {}

    def draw(renderer: str, name: tuple, scene: Scene, shots: list[Shot]) -> list[Frame]:
        if renderer not in renderers:
            renderers[renderer] = opened(renderer)
        if (renderer, name) not in frames:
            frames[renderer, name] = renderers[renderer].render(scene, shots)
        return frames[renderer, name]

    yield draw
    for renderer in renderers.values():
        renderer.close()


two_renderers = pytest.mark.parametrize("two", pairs(), ids="-".join)


def windows(scene: Scene) -> list[Shot]:
    """A whole picture, a crop away from the centre at twice the size, and one that reaches over the border."""
    seen = scene.cameras[0]
    width, height = seen.width, seen.height
    return [
        Shot.whole(seen, 320, 320 * height // width),
        Shot(seen, 0.31 * width, 0.4 * height, 0.31 * width + 0.25 * height, 0.65 * height, 200, 200),
        Shot(seen, 0.55 * width, -0.1 * height, 1.1 * width, 0.6 * height, 220, 280 * height // width),
    ]


def assert_agreement(one: Frame, other: Frame) -> int:
    """Labels within an overlap of 0.98, depths within 2 mm; returns how many labels there were to compare."""
    found = agreement(one, other)
    assert found.overlaps.min(initial=1.0) >= 0.98, dict(zip(found.labels, found.overlaps.round(4), strict=True))
    assert found.compared > 0.2
    assert np.median(found.depth_m) < 5e-4
    assert np.percentile(found.depth_m, 99) < 2e-3
    return len(found.labels)


def test_what_differs_is_found():
    labels, depth = np.zeros((40, 40), np.uint8), np.full((40, 40), 2.0, np.float32)
    labels[10:30, 10:30] = DISTRACTOR
    one = Frame(np.zeros((40, 40, 3), np.uint8), depth, labels)
    same = agreement(one, one)
    assert same.labels == (DISTRACTOR,) and same.overlaps == [1.0] and same.shifts_px == [0.0]
    moved = agreement(one, replace(one, segmentation=np.roll(labels, 2, axis=1), depth=depth + 0.003))
    assert moved.overlaps == pytest.approx([18 / 22]) and moved.shifts_px == pytest.approx([2.0])
    assert moved.depth_m == pytest.approx(0.003, abs=1e-5)
    gone = agreement(one, replace(one, segmentation=np.zeros_like(labels)))
    assert gone.overlaps == [0.0] and gone.shifts_px == [np.inf]


@two_renderers
@pytest.mark.parametrize("name", HAND_MADE)
def test_labels_and_depths_agree_in_scenes_made_by_hand(drawn, two, name):
    scene = HAND_MADE[name]()
    frames = [drawn(renderer, (name,), scene, windows(scene)) for renderer in two]
    assert sum(assert_agreement(*both) for both in zip(*frames, strict=True)) >= 5


def test_cycles_agrees_with_gl_wherever_it_is_installed(drawn):
    """One picture, since path tracing is slow; the tests around this one draw more, with -m slow."""
    scene = HAND_MADE["table"]()
    frames = [drawn(renderer, ("one",), scene, windows(scene)[:1])[0] for renderer in ("cycles", "gl")]
    assert assert_agreement(*frames) >= 2


@two_renderers
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("task", "index"), [("coarse", 0), ("fine", 1)])
def test_labels_and_depths_agree_in_scenes_of_every_preset(drawn, two, name, task, index):
    scene = sample_scene(task, 11, index, views=1, config=preset(name))
    frames = [drawn(renderer, (name, task, index), scene, windows(scene)[:2]) for renderer in two]
    assert sum(assert_agreement(*both) for both in zip(*frames, strict=True)) >= 2


@two_renderers
@pytest.mark.parametrize("robot", ["iiwa_wsg50", "xarm6"])
def test_labels_and_depths_agree_for_every_robot(drawn, two, robot):
    scene = sample_scene("coarse", 11, 2, views=1, config=preset("train"), description=load_robot(robot))
    frames = [drawn(renderer, (robot,), scene, windows(scene)[:2]) for renderer in two]
    assert sum(assert_agreement(*both) for both in zip(*frames, strict=True)) >= 3


def black_balls() -> tuple[Scene, list[Body]]:
    """Balls in the air that send no light back, wherever it comes from, before a white table and a white robot."""
    places = [(x, y, z) for x in (0.3, 0.55) for y in (-0.3, 0.0, 0.3) for z in (0.12, 0.35)]
    balls = [
        Body("sphere", pose(*place), BLACK, DISTRACTOR + number, (0.05, 0.05, 0.05))
        for number, place in enumerate(places)
    ]
    scene = table(lights=(), environment=EVEN, robot_materials=(WHITE,))
    floor = replace(scene.bodies[0], material=WHITE, scale=(20.0, 20.0, 1.0))
    return replace(scene, bodies=(floor, *balls), block=replace(scene.block, material=WHITE)), balls


def blackness(patch: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(H, W) how far pixels are below 0.6 of what is usual outside, where a little shade is no blackness."""
    value = patch.astype(float).mean(axis=2)
    return (0.6 * np.median(value[outside]) - value).clip(0)


@two_renderers
@pytest.mark.parametrize("window", [None, (85.0, 60.0, 235.0, 180.0)], ids=["whole", "crop"])
def test_points_lie_in_the_same_place_and_where_the_camera_projects_them(drawn, two, window):
    """Within half a pixel; found in the colours, which labels and projections know nothing of."""
    scene, balls = black_balls()
    seen = scene.cameras[0]
    shot = Shot.whole(seen) if window is None else Shot(seen, *window, 300, 240)
    frames = [drawn(renderer, ("balls", window), scene, [shot])[0] for renderer in two]
    compared = 0
    for ball in balls:
        place = shot.from_image(seen.project(ball.pose[:3, 3])[0])
        reach = int(0.04 * seen.focal_px / 1.2 * shot.width / (shot.u1 - shot.u0)) + 2
        left, top = (place - reach).astype(int)
        rows, columns = slice(top, top + 2 * reach), slice(left, left + 2 * reach)
        if left < 0 or top < 0 or left + 2 * reach > shot.width or top + 2 * reach > shot.height:
            continue
        labels = frames[0].segmentation[rows, columns]
        alone = np.isin(labels[labels >= DISTRACTOR], ball.label).all()
        if not alone or not whole_disc(labels == ball.label):
            continue
        outside = labels != ball.label
        found = [centroid(blackness(frame.rgb[rows, columns], outside)) + np.array([left, top]) for frame in frames]
        compared += 1
        assert found[0] == pytest.approx(found[1], abs=0.25)
        for one in found:
            assert one == pytest.approx(place, abs=0.5)
    assert compared >= 3


def whole_disc(mask: np.ndarray) -> bool:
    """Whether nothing hides a part of a ball: its label fills its box as a disc does."""
    rows, columns = np.nonzero(mask)
    if len(rows) < LEAST_PX:
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(0.7 < len(rows) / (height * width) < 0.9 and 0.85 < height / width < 1.18)
