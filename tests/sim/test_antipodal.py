"""Antipodal grasps hold in the friction cones of both contacts, and nothing is in the hand's way."""

import numpy as np
import pytest
import trimesh

from perception.clearance import CLEARANCE_M, WAY_M
from perception.hand import PANDA
from sim.antipodal import ray_hits, sample_grasps, surface_of
from sim.meshes import box
from sim.shapes import CATEGORIES, make, template

BOX = box()
VERTICES = BOX.vertices.astype(float) * (0.10, 0.04, 0.06) + (0, 0, 0.03)
FACES = BOX.faces.astype(int)


@pytest.fixture(scope="module")
def of_box():
    return sample_grasps(VERTICES, FACES, np.random.default_rng(0), pairs=150, friction=0.3)


def test_rays_meet_a_box_where_they_should():
    corners = VERTICES[FACES]
    origins, ways = np.array([(-1.0, 0.011, 0.02), (0.03, 0.01, 1.0)]), np.array([(1.0, 0, 0), (0, 0, -1.0)])
    lengths = ray_hits(origins, ways, corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    found = [np.unique(row[np.isfinite(row)].round(9)).tolist() for row in lengths]
    assert found == [[0.95, 1.05], [0.94, 1.0]]


def test_points_are_even_over_the_area_of_a_mesh():
    surface = surface_of(VERTICES, FACES, np.random.default_rng(0), 20_000)
    share = (surface.normals[:, 0] > 0.9).mean()
    areas = 0.04 * 0.06, 0.10 * 0.06, 0.10 * 0.04
    assert share == pytest.approx(areas[0] / (2 * sum(areas)), abs=0.005)
    assert np.abs(surface.points[surface.normals[:, 0] > 0.9, 0] - 0.05).max() < 1e-9


def test_a_box_is_grasped_across_its_sides_that_the_hand_can_span(of_box):
    closing = np.abs(of_box.T_object_clamp[:, :3, 0])
    assert len(closing) > 20
    assert set(closing.argmax(axis=1)) <= {1, 2}  # its long side is wider than the hand
    cosine = closing.max(axis=1)
    assert (cosine >= 1 / np.hypot(1, 0.3) - 1e-9).all()


def test_contacts_lie_between_the_fingers(of_box):
    middles = of_box.T_object_clamp[:, :3, 3]
    low, high = VERTICES.min(axis=0), VERTICES.max(axis=0)
    assert ((middles > low) & (middles < high)).all()
    assert (of_box.opening_m <= PANDA.opening_m).all()


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_hand_meets_neither_the_object_nor_the_table_on_its_way_in(category):
    shape = make(category, 9, 0)
    found = sample_grasps(shape.vertices, shape.faces, np.random.default_rng(1), pairs=100)
    points = trimesh.sample.sample_surface(trimesh.Trimesh(shape.vertices, shape.faces), 4000, seed=2)[0]
    assert len(found.opening_m) > 3
    for back in WAY_M:
        poses = found.T_object_clamp.copy()
        poses[:, :3, 3] -= back * poses[:, :3, 2]
        assert not PANDA.penetration(points, poses, found.opening_m, margin_m=-0.001).any()
    assert (PANDA.lowest(found.T_object_clamp, found.opening_m) >= CLEARANCE_M).all()


def test_an_object_that_does_not_stand_is_grasped_from_below_too():
    bottle = template("bottle")
    rng = np.random.default_rng(3)
    free = sample_grasps(bottle.vertices, bottle.faces, rng, pairs=60, T_table_object=None)
    assert (free.T_object_clamp[:, 2, 2] > 0.5).any()


def test_equal_seeds_give_equal_grasps():
    first, again = (sample_grasps(VERTICES, FACES, np.random.default_rng(4), 50) for _ in range(2))
    assert np.array_equal(first.T_object_clamp, again.T_object_clamp)


def test_what_is_wider_than_the_hand_has_no_grasp():
    assert len(sample_grasps(VERTICES * 3, FACES, np.random.default_rng(5), 50).opening_m) == 0


def test_a_mesh_without_area_is_refused():
    with pytest.raises(ValueError, match="the mesh has no area"):
        sample_grasps(VERTICES * 0, FACES, np.random.default_rng(0))
