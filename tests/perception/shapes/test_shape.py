"""What a shape is, and the one sentence that each thing which is none is refused with."""

import numpy as np
import pytest
from fixtures_shapes import ball
from scipy.spatial import cKDTree

from perception.errors import ShapeError
from perception.shapes.normalise import frame_of, frame_of_cloud
from perception.shapes.sampling import (
    area_samples,
    farthest_points,
    regular_samples,
    sample_areas,
    subdivided,
    tidied,
)
from perception.shapes.shape import MOST_FACES, MOST_POINTS, Shape

TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def cloud(count=500, seed=0):
    found = np.random.default_rng(seed).normal(size=(count, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def grid(side=30):
    """A square of 1 x 1 in the plane z = 0; its left half has a hundred times as many triangles."""
    along = np.concatenate([np.linspace(0, 0.5, side), np.linspace(0.5, 1, side // 10 + 1)[1:]])
    x, y = np.meshgrid(along, np.linspace(0, 1, side), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    first = (np.arange(len(along) - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate(
        [np.stack([first, first + side, first + 1], 1), np.stack([first + 1, first + side, first + side + 1], 1)]
    )
    return Shape(points, faces)


@pytest.mark.parametrize(
    ("points", "faces", "sentence"),
    [
        (np.zeros((0, 3)), None, "the shape is empty: it has no points"),
        (np.zeros((0, 3)), np.zeros((0, 3), int), "the shape is empty: it has no points"),
        (np.zeros((5, 2)), None, r"an array \(N, 3\), not one of shape \(5, 2\)"),
        (np.full((20, 3), "a"), None, "numbers, not <U1"),
        (np.zeros((20, 3), bool), None, "numbers, not bool"),
        (np.vstack([cloud(), [[0, np.nan, 0], [np.inf, 0, 0]]]), None, "2 of 502 points .*NaN or infinite"),
        (cloud() * 1e12, None, "coordinates beyond 1e.09"),
        (cloud(9), None, "a cloud of 9 points, at least 10 are needed"),
        (np.ones((20, 3)), None, "all in one place or on one line"),
        (np.ones((20, 3)) * 1e8 + cloud(20) * 1e-9, None, "all in one place or on one line"),
        (np.outer(np.arange(20.0), [1, 2, 3]), None, "all in one place or on one line"),
        (np.outer(np.arange(20.0), [1, 2, 3]), FACES, "all in one place or on one line"),
        (TETRAHEDRON, FACES[:0], "the mesh has no triangles, at least 4"),
        (TETRAHEDRON[:3], FACES[:1], "the mesh has one triangle, at least 4"),
        (TETRAHEDRON, FACES[:3], "the mesh has 3 triangles, at least 4"),
        (TETRAHEDRON, FACES + 1, "a triangle has the corner 4, but there are 4 points"),
        (TETRAHEDRON, FACES - 1, "a triangle has the corner -1, but there are 4 points"),
        (TETRAHEDRON, FACES.astype(float), "an integer array"),
        (np.broadcast_to(0.0, (MOST_POINTS + 1, 3)), None, "2000001 points, more than 2000000"),
        (TETRAHEDRON, np.broadcast_to(np.int8(0), (MOST_FACES + 1, 3)), "4000001 triangles, more than 4000000"),
    ],
)
def test_what_is_no_shape_is_refused_in_one_sentence(points, faces, sentence):
    with pytest.raises(ShapeError, match=sentence) as error:
        Shape(points, faces)
    assert "\n" not in str(error.value)


def test_a_mesh_that_is_not_a_manifold_is_a_shape():
    shared = np.vstack([FACES, FACES[:2], [[0, 0, 1]]])  # triangles twice, and one without area
    shape = Shape(np.vstack([TETRAHEDRON, [[5, 5, 5]]]), shared)
    assert np.isfinite(shape.normals).all()
    assert np.allclose(np.linalg.norm(shape.normals, axis=1), 1)
    assert regular_samples(shape, 100).max() <= 1  # the point of no triangle is not of the surface


def test_normals_point_out_of_a_mesh_and_of_a_cloud():
    ball = Shape(cloud())
    assert (np.einsum("ni,ni->n", ball.normals, ball.points) > 0.97).all()
    corner = Shape(TETRAHEDRON, FACES).normals
    assert (np.einsum("ni,ni->n", corner, TETRAHEDRON - TETRAHEDRON.mean(axis=0)) > 0).all()


def test_samples_of_a_mesh_follow_its_area_not_its_triangles():
    shape = grid()
    found, face, weights = area_samples(shape, 4000, np.random.default_rng(0))
    assert abs((found[:, 0] < 0.5).mean() - 0.5) < 0.03
    assert np.allclose(np.einsum("nc,ncd->nd", weights, shape.points[shape.faces[face]]), found)


@pytest.mark.parametrize("dense_part", ["mesh", "cloud"])
def test_regular_samples_are_as_far_apart_everywhere(dense_part):
    shape = grid()
    if dense_part == "cloud":
        rng = np.random.default_rng(1)
        left, right = rng.random((20000, 3)) * [0.5, 1, 0], rng.random((2000, 3)) * [0.5, 1, 0] + [0.5, 0, 0]
        shape = Shape(np.vstack([left, right]))
    found = regular_samples(shape, 400)
    assert found.shape == (400, 3)
    assert abs((found[:, 0] < 0.5).mean() - 0.5) < 0.06
    apart = cKDTree(found).query(found, 2)[0][:, 1]
    assert apart.min() > 0.5 * apart.mean()
    assert np.array_equal(found, regular_samples(shape, 400))


def test_a_small_cloud_gives_the_points_that_it_has():
    points = cloud(50)
    found = regular_samples(Shape(points), 400)
    assert set(map(tuple, found)) == set(map(tuple, points))


def test_points_by_themselves_are_no_samples_of_a_cloud():
    stray = np.random.default_rng(2).uniform(2, 9, size=(30, 3))
    found = regular_samples(Shape(np.vstack([cloud(3000), stray])), 300)
    assert np.linalg.norm(found, axis=1).max() < 1.01


def test_spikes_are_no_surface_of_a_mesh_but_the_tip_of_a_cone_is():
    points, faces = ball(4)
    rng = np.random.default_rng(3)
    noisy = points.copy()
    noisy[rng.choice(len(points), 20, replace=False)] *= 3
    assert (Shape(noisy, faces).face_areas.sum()) > 2 * Shape(points, faces).face_areas.sum()
    assert (np.linalg.norm(regular_samples(Shape(noisy, faces), 300), axis=1) > 1.01).mean() < 0.02
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(turns), np.sin(turns), np.zeros(24)], axis=1)
    sides = np.stack([np.arange(24), np.roll(np.arange(24), -1), np.full(24, 24)], axis=1)
    cone = Shape(np.vstack([ring, [[0, 0, 3], [0, 0, 0]]]), np.vstack([sides, np.where(sides == 24, 25, sides)]))
    assert regular_samples(cone, 300)[:, 2].max() > 2.8


def test_a_tidied_shape_has_no_stray_points_and_a_cloud_no_more_than_are_wanted():
    stray = np.random.default_rng(4).uniform(2, 9, size=(30, 3))
    found = tidied(Shape(np.vstack([cloud(5000), stray])), 1000)
    assert np.linalg.norm(found.points, axis=1).max() < 1.01
    assert 1000 <= len(found.points) < 1300
    points, faces = ball(2)
    found = tidied(Shape(np.vstack([stray, points]), faces + len(stray)), 10)
    assert np.array_equal(found.points[found.faces], points[faces])
    assert len(found.points) == len(points)


def test_tips_of_triangles_that_share_no_points_are_no_spikes():
    """As in .stl files, where every triangle has points of its own."""
    turns = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    ring = np.stack([np.cos(turns), np.sin(turns), np.zeros(80)], axis=1)
    low, right = np.arange(80), np.roll(np.arange(80), -1)
    faces = np.vstack([np.stack([low, right, right + 80], 1), np.stack([low, right + 80, low + 80], 1)])
    tube, (round_points, round_faces) = np.vstack([ring, ring + np.array([0, 0, 2])]), ball(3)
    points, faces = np.vstack([tube, round_points + np.array([0, 0, 3])]), np.vstack([faces, round_faces + len(tube)])
    soup = Shape(points[faces].reshape(-1, 3), np.arange(3 * len(faces)).reshape(-1, 3))
    off = cKDTree(regular_samples(soup, 400)).query(regular_samples(Shape(points, faces), 400))[0]
    assert off.max() < 0.4


def test_the_farthest_points_of_a_line_are_its_ends_then_its_middle():
    line = np.linspace(0, 1, 101)[:, None] * [1, 0, 0]
    assert farthest_points(line, 3).tolist() == [0, 100, 50]


def test_subdivision_keeps_the_surface_and_its_points():
    points, faces = subdivided(TETRAHEDRON, FACES)
    assert (points.shape, faces.shape) == ((10, 3), (16, 3))
    assert np.array_equal(points[:4], TETRAHEDRON)
    before, after = Shape(TETRAHEDRON, FACES), Shape(points, faces)
    assert np.isclose(before.face_areas.sum(), after.face_areas.sum())
    assert (np.einsum("ni,ni->n", after.normals, points - TETRAHEDRON.mean(axis=0)) > 0).all()


def test_a_frame_is_of_unit_size_and_undone_exactly():
    points = cloud() * [1, 2, 5] * 30 + [7, 8, 9]
    frame = frame_of(points)
    normalised = frame.normalised(points)
    assert np.allclose(normalised.mean(axis=0), 0) and np.isclose((normalised**2).sum(axis=1).mean(), 1)
    assert np.allclose(frame.restored(normalised), points)


def test_the_frame_of_a_cloud_that_is_dense_somewhere_is_that_of_the_surface():
    rng = np.random.default_rng(3)
    ball = rng.normal(size=(6000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    dense = ball[rng.random(len(ball)) < np.where(ball[:, 2] > 0, 1.0, 0.15)]
    off, corrected = frame_of(dense), frame_of(dense, sample_areas(dense))
    assert abs(off.centre[2]) > 0.3
    assert np.abs(corrected.centre).max() < 0.04 and abs(corrected.scale - 1) < 0.02


def test_the_frame_of_a_cloud_with_most_points_in_a_small_part_is_that_of_the_surface():
    rng = np.random.default_rng(4)
    ball = rng.normal(size=(20_000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    uneven = ball[rng.random(len(ball)) < np.where(ball[:, 2] > 0.8, 1.0, 0.05)]
    samples = regular_samples(Shape(uneven), 2500)
    found, by_all = frame_of_cloud(samples), frame_of(samples, sample_areas(samples))
    assert np.linalg.norm(found.centre) < 0.02 and abs(found.scale - 1) < 0.01
    assert np.linalg.norm(found.centre) < np.linalg.norm(by_all.centre) / 2


def test_frames_of_a_batch_are_those_of_each():
    batch = np.stack([cloud(seed=0) * 3, cloud(seed=1) + 5])
    frames = frame_of(batch)
    for i in range(2):
        alone = frame_of(batch[i])
        assert np.allclose(frames.normalised(batch)[i], alone.normalised(batch[i]))
    assert np.allclose(frames.restored(frames.normalised(batch)), batch)


def test_a_frame_turns_moves_and_grows_with_the_shape():
    points, angle = cloud() * [1, 2, 5], 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved = 1000 * points @ turn.T + [5, 6, 7]
    assert np.allclose(frame_of(moved).normalised(moved), frame_of(points).normalised(points) @ turn.T)
