"""Grasps of annotated objects on objects that nobody has seen, with the networks and exemplars that are shipped."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perception.bundle_folder import default_models_dir
from perception.clearance import unobstructed
from perception.contacts import contacts_of
from perception.errors import GraspTransferError, InputError
from perception.exemplar_library import INDEX_FILE, ExemplarLibrary
from perception.grasp_refinement import FLOOR, NOTHING, OBJECT, SLIP, WIDE, Surface, refine, surface_of
from perception.grasp_transfer import GraspTransfer
from perception.hand import PANDA
from perception.shapes.categories import OBJECTS
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Shape
from sim.meshes import load_mesh
from sim.shapes import make


@cache
def opened(category) -> GraspTransfer:
    return GraspTransfer.open(category)


@cache
def transferred(category):
    """An object turned about the vertical, and its grasps."""
    made = make(category, 77, 3)
    turn = Rotation.from_rotvec((0, 0, 2.0)).as_matrix()
    shape = Shape(made.vertices @ turn.T + (0.4, -0.1, 0.2), made.faces)
    return shape, opened(category).grasps(shape)


def box_surface(size_m, floor_m=-np.inf) -> Surface:
    """Points of a box about the origin."""
    box = load_mesh("box")
    shape = Shape(box.vertices.astype(float) * size_m, box.faces.astype(np.int64))
    points, face, _ = area_samples(shape, 8000, np.random.default_rng(0))
    return Surface(points, shape.face_normals[face], floor_m, np.zeros(3))


def clamp_down(height_m=0.0, turn_rad=0.0):
    """A clamp that points down and closes along x, turned about the vertical."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec((0, 0, turn_rad)).as_matrix() @ np.diag([1.0, -1.0, -1.0])
    pose[2, 3] = height_m
    return pose


@pytest.mark.parametrize("category", OBJECTS)
def test_an_unseen_object_gets_grasps_that_close_on_it_and_are_free(category):
    shape, grasps = transferred(category)
    assert grasps
    assert all(0 < one.score <= 1 for one in grasps)
    assert [one.score for one in grasps] == sorted((one.score for one in grasps), reverse=True)
    points, face, _ = area_samples(shape, 4000, np.random.default_rng(1))
    for one in grasps[:5]:
        touched = contacts_of(points, shape.face_normals[face], one.T_object_clamp, one.opening_m, PANDA)
        assert touched is not None
        assert abs(touched.width_m - one.width_m) < 0.004
        assert one.width_m < one.opening_m <= PANDA.opening_m
        pose, opening = one.T_object_clamp[None], np.array([one.opening_m])
        table = np.eye(4)
        table[2, 3] = -shape.points[:, 2].min()
        few = points[: len(points) // 2]
        assert unobstructed(few, pose, opening, PANDA, table)[0]


def test_grasps_follow_the_object_when_it_is_turned():
    shape, grasps = transferred("mug")
    turn = Rotation.from_rotvec((0, 0, -1.1)).as_matrix()
    other = opened("mug").grasps(Shape(shape.points @ turn.T, shape.faces))
    back = other[0].T_object_clamp[:3, 3] @ turn
    assert min(np.linalg.norm(back - one.T_object_clamp[:3, 3]) for one in grasps) < 0.03


def test_a_library_without_an_index_is_fitted_and_its_index_gives_the_same(tmp_path, monkeypatch):
    matcher = opened("bowl").matcher
    folder = default_models_dir() / "exemplars" / "bowl"
    (tmp_path / "one.npz").write_bytes((folder / "000.npz").read_bytes())
    fitted = ExemplarLibrary.open(tmp_path, matcher)
    (tmp_path / INDEX_FILE).write_bytes(fitted.index(tmp_path, matcher))
    indexed = ExemplarLibrary.open(tmp_path, matcher)
    assert np.allclose(indexed.exemplars[0].fit.points, fitted.exemplars[0].fit.points, atol=1e-6)
    whole = (tmp_path / INDEX_FILE).read_bytes()
    monkeypatch.setattr(matcher, "fit", lambda shape, upright: fitted.exemplars[0].fit)
    for damaged in (b"damaged", whole[: len(whole) // 2], whole[:300] + bytes(100) + whole[400:]):
        (tmp_path / INDEX_FILE).write_bytes(damaged)
        assert len(ExemplarLibrary.open(tmp_path, matcher).exemplars) == 1


def test_an_exemplar_is_the_nearest_to_itself():
    transfer = opened("mug")
    for exemplar in transfer.library.exemplars:
        shape = Shape(exemplar.object.vertices, exemplar.object.faces)
        (nearest, similarity), *others = transfer.library.nearest(shape, exemplar.fit, 9)
        assert nearest is exemplar
        assert similarity == pytest.approx(1, abs=1e-6)
        assert all(other < 0.99 for _, other in others)


def test_copies_of_one_exemplar_are_equally_near():
    exemplar = opened("mug").library.exemplars[0]
    shape = Shape(exemplar.object.vertices, exemplar.object.faces)
    found = ExemplarLibrary([exemplar, exemplar]).nearest(shape, exemplar.fit, 2)
    assert [similarity for _, similarity in found] == pytest.approx([1, 1])


def test_what_a_grasp_touches_is_found_once():
    exemplars = opened("mug").library.exemplars
    assert all(one.contacts(PANDA) is one.contacts(PANDA) for one in exemplars)


def test_noise_does_not_lower_what_a_shape_stands_on():
    exemplar = opened("mug").library.exemplars[0]
    vertices, faces = exemplar.object.vertices, exemplar.object.faces
    assert surface_of(Shape(vertices, faces), exemplar.fit).floor_m == pytest.approx(0, abs=2e-4)
    noise = np.random.default_rng(2).normal(0, 0.001, vertices.shape)
    assert (vertices + noise)[:, 2].min() < -0.0025
    assert abs(surface_of(Shape(vertices + noise, faces), exemplar.fit).floor_m) < 0.002


def test_stray_points_are_no_part_of_the_object():
    made = make("mug", 77, 0)
    points = area_samples(Shape(made.vertices, made.faces), 30_000, np.random.default_rng(0))[0]
    stray = np.random.default_rng(1).uniform(-0.8, 0.8, (20, 3))
    grasps = opened("mug").grasps(Shape(np.vstack([points, stray])))
    middles = np.array([one.T_object_clamp[:3, 3] for one in grasps])
    assert ((made.vertices.min(axis=0) - 0.01 < middles) & (middles < made.vertices.max(axis=0) + 0.01)).all()


def test_a_folder_without_annotated_objects_says_how_to_make_them(tmp_path):
    with pytest.raises(InputError, match="make some with `blockworld shapes annotate mug`"):
        ExemplarLibrary.open(tmp_path, opened("mug").matcher)


def test_an_object_of_another_category_among_the_exemplars_is_named(tmp_path):
    folder = default_models_dir() / "exemplars" / "mug"
    (tmp_path / "one.npz").write_bytes((folder / "000.npz").read_bytes())
    with pytest.raises(InputError, match="is annotated as a mug, not a bowl"):
        ExemplarLibrary.open(tmp_path, opened("bowl").matcher)


def test_an_object_of_another_category_is_told():
    made = make("hammer", 77, 0)
    with pytest.raises(GraspTransferError, match="does not look like a mug"):
        opened("mug").grasps(Shape(made.vertices, made.faces))


def test_an_object_in_other_units_is_told():
    made = make("mug", 77, 0)
    with pytest.raises(GraspTransferError, match="give its points in metres"):
        opened("mug").grasps(Shape(1000 * made.vertices, made.faces))


def test_a_grasp_that_is_askew_is_squared_and_centred():
    surface = box_surface((0.03, 0.10, 0.05))
    askew = clamp_down(0.0, np.radians(15))
    askew[0, 3] = 0.008
    refined = refine(askew, surface, PANDA)
    assert not isinstance(refined, str)
    assert refined.contacts.squareness > 0.99
    assert refined.contacts.width_m == pytest.approx(0.03, abs=0.001)
    assert abs(refined.pose[:3, 0] @ (1, 0, 0)) > 0.995
    assert abs(refined.pose[0, 3]) < 0.002


@pytest.mark.parametrize(
    ("size_m", "height_m", "floor_m", "told"),
    [
        ((0.03, 0.10, 0.05), 0.2, -np.inf, NOTHING),
        ((0.12, 0.10, 0.05), 0.02, -np.inf, SLIP),
        ((0.078, 0.10, 0.05), 0.02, -np.inf, WIDE),
        ((0.03, 0.10, 0.02), 0.0, 0.012, FLOOR),
        ((0.03, 0.30, 0.30), -0.05, -np.inf, OBJECT),
    ],
)
def test_a_grasp_that_is_not_feasible_has_a_reason(size_m, height_m, floor_m, told):
    assert refine(clamp_down(height_m), box_surface(size_m, floor_m), PANDA) == told


def test_where_every_grasp_fails_the_reasons_are_counted():
    made = make("mug", 77, 0)
    shape = Shape(made.vertices, made.faces)
    with pytest.raises(GraspTransferError, match=r"none of the \d+ grasps of \d exemplars .*stands on \(\d+\)"):
        opened("mug").grasps(shape, floor_m=float(made.vertices[:, 2].max()) + 0.05)
