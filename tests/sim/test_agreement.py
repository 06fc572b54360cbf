"""Any two renderers show the same scene: labels, depths and the places of things.

A silhouette pixel is one with another label beside it, or with a neighbour more than 2 cm nearer or farther than it
is. Depths are compared everywhere else.
"""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_renderers import centroid, opened, overlap, pairs
from fixtures_scenes import BLACK, EVEN, HAND_MADE, WHITE, pose, table
from scipy import ndimage

from sim.randomization import preset, sample_scene
from sim.renderers import Frame, Shot
from sim.scene import DISTRACTOR, NOTHING, Body, Scene

LEAST_PX = 50
SILHOUETTE_M = 0.02
PRESETS = ("lab", "train", "field", "adv")


@pytest.fixture(scope="module", params=pairs(), ids="-".join)
def two(request):
    made = []
    try:
        made += [opened(request.param[0])]
        made += [opened(request.param[1])]
        yield made
    finally:
        for renderer in made:
            renderer.close()


def windows(scene: Scene) -> list[Shot]:
    """A whole picture, a crop away from the centre at twice the size, and one that reaches over the border."""
    seen = scene.cameras[0]
    width, height = seen.width, seen.height
    return [
        Shot.whole(seen, 320, 320 * height // width),
        Shot(seen, 0.31 * width, 0.4 * height, 0.31 * width + 0.25 * height, 0.65 * height, 200, 200),
        Shot(seen, 0.55 * width, -0.1 * height, 1.1 * width, 0.6 * height, 220, 280 * height // width),
    ]


def smooth(frame: Frame) -> np.ndarray:
    """(H, W) bool: where there is a surface and no silhouette."""
    depth = np.where(np.isfinite(frame.depth), frame.depth, 1e3)
    steps = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    labels = ndimage.maximum_filter(frame.segmentation, 3) == ndimage.minimum_filter(frame.segmentation, 3)
    return labels & (steps < SILHOUETTE_M) & (frame.segmentation != NOTHING)


def assert_agreement(one: Frame, other: Frame) -> int:
    """Labels within an overlap of 0.98, depths within 2 mm; returns how many labels there were to compare."""
    labels = [label for label in np.unique(one.segmentation).tolist() if label != NOTHING]
    shown = [label for label in labels if (one.segmentation == label).sum() > LEAST_PX]
    for label in shown:
        found = overlap(one.segmentation == label, other.segmentation == label)
        assert found >= 0.98, f"label {label}: {found:.4f}"
    both = smooth(one) & smooth(other)
    assert both.mean() > 0.2
    difference = np.abs(one.depth[both] - other.depth[both])
    assert np.median(difference) < 5e-4
    assert np.percentile(difference, 99) < 2e-3
    return len(shown)


@pytest.mark.parametrize("name", HAND_MADE)
def test_labels_and_depths_agree_in_scenes_made_by_hand(two, name):
    scene = HAND_MADE[name]()
    shots = windows(scene)
    frames = [renderer.render(scene, shots) for renderer in two]
    assert sum(assert_agreement(*both) for both in zip(*frames, strict=True)) >= 5


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("task", "index"), [("coarse", 0), ("fine", 1)])
def test_labels_and_depths_agree_in_scenes_of_every_preset(two, name, task, index):
    scene = sample_scene(task, 11, index, views=1, config=preset(name))
    shots = windows(scene)[:2]
    frames = [renderer.render(scene, shots) for renderer in two]
    assert sum(assert_agreement(*both) for both in zip(*frames, strict=True)) >= 2


def lamps_in_the_dark() -> tuple[Scene, list[Body]]:
    """White balls on everything that a keypoint may be on, all else black."""
    places = [(x, y, z) for x in (0.3, 0.55) for y in (-0.3, 0.0, 0.3) for z in (0.03, 0.35)]
    balls = [
        Body("sphere", pose(*place), WHITE, DISTRACTOR + number, (0.05, 0.05, 0.05))
        for number, place in enumerate(places)
    ]
    scene = table(lights=(), environment=EVEN, robot_materials=(BLACK,))
    black = replace(scene.bodies[0], material=BLACK, scale=(20.0, 20.0, 1.0))  # no sky in the picture
    return replace(scene, bodies=(black, *balls), block=replace(scene.block, material=BLACK)), balls


@pytest.mark.parametrize("window", [None, (85.0, 60.0, 235.0, 180.0)], ids=["whole", "crop"])
def test_points_lie_in_the_same_place_and_where_the_camera_projects_them(two, window):
    """Within half a pixel; found in the colours, which labels and projections know nothing of."""
    scene, balls = lamps_in_the_dark()
    seen = scene.cameras[0]
    shot = Shot.whole(seen) if window is None else Shot(seen, *window, 300, 240)
    frames = [renderer.render(scene, [shot])[0] for renderer in two]
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
        found = [centroid(frame.rgb[rows, columns].mean(axis=2)) + np.array([left, top]) for frame in frames]
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
