"""Assemblies stand on z = 0, are made of closed parts that face outwards, and differ; their outside is sampled."""

from dataclasses import fields

import numpy as np
import pytest
import trimesh

from sim.antipodal import ray_hits
from sim.meshes import creased, load_mesh
from sim.shapes import ASSEMBLIES, FAMILIES, make, template
from sim.shapes.lofts import box, disc
from sim.shapes.surface import Outside

SAMPLES = 20


@pytest.fixture(params=ASSEMBLIES, scope="module")
def shapes(request):
    return [template(request.param), *(make(request.param, 5, index) for index in range(SAMPLES))]


def test_every_part_is_closed_and_faces_outwards(shapes):
    for shape in shapes:
        for part in shape.parameters.parts():
            mesh = trimesh.Trimesh(part.vertices, part.faces, process=False)
            assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
            assert mesh.area_faces.min() > 0


def test_every_assembly_stands_on_the_plane_and_reaches_to_both_sides_of_the_origin(shapes):
    for shape in shapes:
        low, high = shape.vertices.min(axis=0), shape.vertices.max(axis=0)
        assert low[2] == pytest.approx(0, abs=0.002) and 0.15 < high[2] < 60
        assert (low[:2] < 0).all() and (high[:2] > 0).all()


def test_no_part_hangs_in_the_air(shapes):
    """From any part to any other there is a way through parts whose boxes meet."""
    for shape in shapes:
        parts = shape.parameters.parts()
        boxes = np.array([[part.vertices.min(axis=0), part.vertices.max(axis=0)] for part in parts])
        below = (boxes[:, None, 0] <= boxes[None, :, 1]).all(axis=2)
        meets = below & below.T
        reached = {0}
        while more := set(np.flatnonzero(meets[list(reached)].any(axis=0)).tolist()) - reached:
            reached |= more
        assert len(reached) == len(parts), shape.parameters


def test_no_two_shapes_are_alike_and_all_words_occur(shapes):
    assert len({shape.vertices.tobytes() for shape in shapes}) == len(shapes)
    for one in fields(shapes[0].parameters):
        if "names" in one.metadata:
            names = {getattr(make(shapes[0].category, 6, index).parameters, one.name) for index in range(60)}
            assert names == set(one.metadata["names"])


@pytest.mark.parametrize("category", FAMILIES | ASSEMBLIES)
def test_samples_lie_on_the_surface_and_in_no_other_part(category):
    for index in range(2):
        parts = make(category, 8, index).parameters.parts()
        points, normals = Outside(parts).sample(100, np.random.default_rng(index))
        assert points.shape == normals.shape == (100, 3)
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
        meshes = [trimesh.Trimesh(part.vertices, part.faces, process=False) for part in parts]
        size = float(np.ptp(points, axis=0).max())
        near = np.min([trimesh.proximity.closest_point_naive(mesh, points)[1] for mesh in meshes], axis=0)
        assert near.max() < 1e-3 * size  # thin triangles are not measured better
        # A step along the normal leaves the part whose surface it is.
        assert _inside(parts, points - 1e-4 * size * normals).mean() > 0.95


def test_of_two_boxes_in_each_other_the_outside_is_sampled_evenly():
    parts = [box((0, 0, 0), (1, 1, 1)), box((0.5, 0.25, 0.25), (1.5, 0.75, 0.75))]
    points, _ = Outside(parts).sample(40_000, np.random.default_rng(0))
    within_first = ((points > 1e-6) & (points < 1 - 1e-6)).all(axis=1)
    assert not within_first.any()
    beyond = points[:, 0] > 1 + 1e-6
    assert beyond.mean() == pytest.approx((0.25 + 4 * 0.5 * 0.5) / (6 - 0.25 + 0.25 + 4 * 0.5 * 0.5), abs=0.01)


def test_a_part_within_another_has_no_surface():
    inner, outer = box((0.4, 0.4, 0.4), (0.6, 0.6, 0.6)), disc(2, (0.0, 1.0), (2.0, 2.0))
    points, _ = Outside([inner, outer]).sample(2000, np.random.default_rng(0))
    assert (np.abs(np.hypot(points[:, 0], points[:, 1]) - 2) < 0.05).any()
    assert not ((points > 0.39) & (points < 0.61)).all(axis=1).any()


def test_edges_of_a_creased_mesh_stay_sharp_and_curves_smooth():
    cube = box((0, 0, 0), (1, 1, 1))
    mesh = creased(cube.vertices, cube.faces)
    assert np.abs(mesh.normals).max(axis=1) == pytest.approx(1, abs=1e-6)
    column = disc(2, (0.0, 1.0), (1.0, 1.0))
    side = creased(column.vertices, column.faces)
    upright = np.abs(side.normals[:, 2]) < 0.5
    ways = side.vertices[upright, :2] / np.linalg.norm(side.vertices[upright, :2], axis=1, keepdims=True)
    assert np.einsum("nd,nd->n", ways, side.normals[upright, :2]).min() > 0.99


def test_an_assembly_is_a_mesh_by_its_name():
    mesh, shape = load_mesh("shape/chair/2/9"), make("chair", 2, 9)
    assert mesh.vertices.shape == (3 * len(shape.faces), 3)
    assert np.allclose(mesh.vertices, shape.vertices[shape.faces.ravel()])


def _inside(parts, points):
    """Whether a ray from each point crosses the surface of some part an odd number of times."""
    ways, found = np.tile([0.6, 0.64, 0.48], (len(points), 1)), np.zeros(len(points), bool)
    for part in parts:
        corner, second, third = part.vertices[part.faces].transpose(1, 0, 2)
        found |= np.isfinite(ray_hits(points, ways, corner, second - corner, third - corner)).sum(axis=1) % 2 == 1
    return found
