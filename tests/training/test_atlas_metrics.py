"""Metrics of reconstructions against what is known of simple surfaces, and against trimesh."""

import numpy as np
import pytest
import trimesh

from perception.shapes.shape import Shape
from training.shapes.atlas.metrics import chamfer_and_f_score, metro, surface_distances, triangle_distances


def shape_of(mesh):
    return Shape(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def test_chamfer_distance_and_f_score_of_shifted_points():
    points = np.random.default_rng(0).normal(size=(500, 3)) * 10
    assert chamfer_and_f_score(points, points) == (0.0, 1.0)
    distance, score = chamfer_and_f_score(points + np.array([0.02, 0, 0]), points)
    assert distance == pytest.approx(1000 * 2 * 0.02**2) and score == 1.0
    distance, score = chamfer_and_f_score(points + np.array([0.04, 0, 0]), points)
    assert distance == pytest.approx(1000 * 2 * 0.04**2) and score == 0.0


def test_distances_from_triangles_are_those_of_trimesh():
    rng = np.random.default_rng(1)
    points, corners = rng.normal(size=(400, 3)), rng.normal(size=(400, 3, 3))
    nearest = trimesh.triangles.closest_point(corners, points)
    np.testing.assert_allclose(triangle_distances(points, corners), np.linalg.norm(nearest - points, axis=1), atol=1e-9)


def test_a_triangle_without_area_is_its_longest_edge():
    corners = np.array([[(0.0, 0, 0), (1.0, 0, 0), (0.4, 0, 0)]])
    assert triangle_distances(np.array([(0.5, 0.3, 0.0)]), corners) == pytest.approx(0.3)


def test_distances_from_a_mesh_are_those_of_all_triangles():
    mesh = trimesh.creation.torus(0.7, 0.2)
    points = np.random.default_rng(2).normal(size=(100, 3))
    expected = trimesh.proximity.closest_point_naive(mesh, points)[1]
    np.testing.assert_allclose(surface_distances(points, shape_of(mesh)), expected, atol=2e-4)


def test_metro_of_two_balls_is_the_difference_of_their_radii():
    inner, outer = trimesh.creation.icosphere(4), trimesh.creation.icosphere(4).apply_scale(1.1)
    found = metro(shape_of(inner), shape_of(outer))
    assert found.mean == pytest.approx(0.1, rel=0.02) and found.largest == pytest.approx(0.1, rel=0.03)


def test_metro_tells_of_what_is_missing():
    whole = trimesh.creation.icosphere(4)
    half = whole.submesh([whole.triangles_center[:, 2] > 0], append=True)
    found = metro(shape_of(half), shape_of(whole))
    assert found.largest == pytest.approx(np.sqrt(2), rel=0.05) and found.mean > 0.1
