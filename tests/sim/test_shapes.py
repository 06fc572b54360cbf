"""Shapes of a category share their topology, are closed and outward, stand on z = 0, and follow from their seed."""

from dataclasses import fields

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from sim.antipodal import ray_hits
from sim.meshes import load_mesh
from sim.shapes import CATEGORIES, FAMILIES, make, template
from sim.shapes.mug import Mug
from sim.shapes.vessels import outline, vessel

SAMPLES = 25


@pytest.fixture(params=CATEGORIES, scope="module")
def shapes(request):
    return [template(request.param), *(make(request.param, 5, index) for index in range(SAMPLES))]


def test_all_shapes_of_a_category_have_the_same_triangles(shapes):
    first = shapes[0]
    assert 1500 <= len(first.vertices) <= 3000
    for shape in shapes[1:]:
        assert np.array_equal(shape.faces, first.faces)
        assert shape.vertices.shape == first.vertices.shape
        assert len(shape.pieces) == len(first.pieces)


def test_every_shape_is_closed_and_its_normals_point_outwards(shapes):
    for shape in shapes:
        mesh = trimesh.Trimesh(shape.vertices, shape.faces, process=False)
        assert mesh.is_watertight and mesh.is_winding_consistent
        assert mesh.area_faces.min() > 1e-9
        assert all(part.volume > 0 for part in mesh.split())


def test_every_shape_stands_on_the_plane_and_is_as_large_as_a_thing_of_the_household(shapes):
    for shape in shapes:
        assert shape.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
        assert 0.04 < np.ptp(shape.vertices, axis=0).max() < 0.5


def test_the_convex_pieces_fill_the_shape_and_little_more(shapes):
    for shape in shapes:
        volume = trimesh.Trimesh(shape.vertices, shape.faces, process=False).volume
        assert 0.9 < sum(ConvexHull(piece).volume for piece in shape.pieces) / volume < 1.3


def test_parameters_are_drawn_from_their_whole_ranges(shapes):
    for one in fields(shapes[0].parameters):
        values = np.array([np.ravel(getattr(shape.parameters, one.name)) for shape in shapes[1:]])
        if "range" in one.metadata:
            low, high = one.metadata["range"]
            assert values.min() >= low and values.max() <= high
            assert values.min() < low + 0.25 * (high - low) and values.max() > high - 0.25 * (high - low)
        else:
            assert set(values.ravel()) == set(one.metadata["names"])


@pytest.mark.parametrize("category", CATEGORIES)
def test_equal_seeds_give_equal_bytes_and_others_other_shapes(category):
    first, again, other = make(category, 3, 4), make(category, 3, 4), make(category, 3, 5)
    assert first.vertices.tobytes() == again.vertices.tobytes()
    assert first.parameters == again.parameters
    assert not np.allclose(first.vertices, other.vertices)


@pytest.mark.parametrize("category", ["mug", "pan"])
def test_a_handle_begins_inside_the_wall(category):
    for index in range(SAMPLES):
        shape = make(category, 6, index)
        body, handle = trimesh.Trimesh(shape.vertices, shape.faces, process=False).split()
        ends = handle.vertices[[0] if category == "pan" else [0, -1]]
        corner, second, third = body.triangles.transpose(1, 0, 2)
        ways = np.tile([0.6, 0.64, 0.48], (len(ends), 1))
        crossed = np.isfinite(ray_hits(ends, ways, corner, second - corner, third - corner)).sum(axis=1)
        assert (crossed % 2 == 1).all()  # so a ray from it to the outside crosses the wall's surface


def test_a_vertex_is_the_same_place_on_all_mugs():
    farthest = {int(make("mug", 7, index).vertices[:, 0].argmax()) for index in range(SAMPLES)}
    handle = template("mug").vertices[:, 0] > Mug().radius_m + 0.01
    assert all(handle[list(farthest)])


def test_a_mesh_of_that_name_is_the_shape():
    mesh, shape = load_mesh("shape/bowl/2/9"), make("bowl", 2, 9)
    assert np.array_equal(mesh.vertices, shape.vertices.astype(np.float32))
    assert np.array_equal(load_mesh("shape/bowl/template").faces, mesh.faces)


def test_a_full_vessel_is_refused():
    profile = np.stack([np.full(400, 0.03), np.linspace(0, 0.05, 400)], axis=-1)
    with pytest.raises(ValueError, match="give a thinner one"):
        vessel(profile, 0.031, 0.01, outline())


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: make("spoon", 0, 0), "choose one of mug, cup, bowl, bottle, pan, hammer"),
        (lambda: template(""), "there are no shapes of category ''"),
        (lambda: Mug(height_m=2.0), "height_m of a mug is 2.0: give a number from 0.07 to 0.13"),
        (lambda: Mug(profile=(0.0, 0.0)), "give 5 numbers from -0.14 to 0.1"),
        (lambda: Mug(wall_m=float("nan")), "wall_m of a mug is nan"),
        (lambda: FAMILIES["hammer"](peen="axe"), "choose one of flat, claw, wedge, ball"),
        (lambda: load_mesh("shape/mug/x/1"), "give CATEGORY/SEED/INDEX"),
    ],
)
def test_bad_input_is_told_in_one_sentence(attempt, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        attempt()
    assert words in str(error.value) and "\n" not in str(error.value)
