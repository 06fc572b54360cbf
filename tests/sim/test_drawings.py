"""Line drawings have the lines of what they show, and differ; views are of one thing, and of their seed alone."""

import numpy as np
import pytest
from fixtures_renderers import opened

from perception.camera import Camera
from sim.optics import photograph
from sim.renderers import Shot
from sim.scene import DISTRACTOR, NOTHING
from sim.shapes import ASSEMBLIES
from sim.shapes.drawing import drawn, lines
from sim.shapes.views import view_of

CAMERA = Camera.looking_at(np.array([2.0, 0.0, 0.0]), np.zeros(3), 100.0, 100, 100)


@pytest.fixture(scope="module")
def renderer():
    return opened("gl")


def test_a_floating_square_has_an_outline_and_no_creases():
    depth = np.full((100, 100), np.inf, np.float32)
    depth[30:70, 20:80] = 2.0
    outline, crease = lines(depth, CAMERA)
    assert outline.sum() == 2 * (40 + 60) - 4 and not crease.any()
    assert outline[30, 50] and outline[50, 20] and not outline[50, 50]


def test_a_roof_has_a_crease_along_its_ridge():
    columns = np.abs(np.arange(100) - 50)
    depth = np.tile((1.6 + 0.01 * columns).astype(np.float32), (100, 1))
    outline, crease = lines(depth, CAMERA)
    assert not outline.any()
    assert crease[:, 48:53].any(axis=1).all() and not crease[:, :40].any()


def test_nothing_has_no_lines():
    outline, crease = lines(np.full((20, 20), np.inf), CAMERA)
    assert not outline.any() and not crease.any()


def test_drawings_of_one_thing_differ_by_hand_and_not_by_run():
    depth = np.full((100, 100), np.inf, np.float32)
    depth[30:70, 20:80] = 2.0
    first, again, other = (drawn(depth, CAMERA, 50, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.shape == (50, 50) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first[10:40, 8:42].min() < np.median(first) - 60


@pytest.mark.parametrize("category", ASSEMBLIES)
def test_a_view_shows_one_thing_whole_on_any_background(category, renderer):
    for index in range(2):
        scene = view_of(f"shape/{category}/4/{index}", 3, index, 96)
        view = scene.views[0]
        frame = photograph(renderer, scene, [Shot.whole(view.camera)], [view])[0]
        assert set(np.unique(frame.segmentation).tolist()) == {NOTHING, DISTRACTOR}
        rows, columns = np.nonzero(frame.segmentation == DISTRACTOR)
        assert 0.01 < len(rows) / 96**2 < 0.8
        assert 0.25 < (rows.min() + rows.max()) / 192 < 0.75 and 0.25 < (columns.min() + columns.max()) / 192 < 0.75
    first, again, other = (view_of(f"shape/{category}/4/0", 3, index, 96) for index in (1, 1, 2))
    assert np.array_equal(first.cameras[0].T_camera_base, again.cameras[0].T_camera_base)
    assert not np.array_equal(first.cameras[0].T_camera_base, other.cameras[0].T_camera_base)
