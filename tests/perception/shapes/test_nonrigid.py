"""Non-rigid closest points."""

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from perception.shapes.matching import ROBUST
from perception.shapes.nonrigid import Membrane

STIFFNESS = (100.0, 25.0, 6.0, 1.5)


def sphere(subdivisions=3):
    made = trimesh.creation.icosphere(subdivisions=subdivisions)
    return np.asarray(made.vertices), np.asarray(made.faces)


def with_a_bump(points, height=0.25):
    near = np.exp(-((points - [0, 0, 1.0]) ** 2).sum(axis=1) / 0.1)
    return points * (1 + height * near)[:, None]


def test_a_bump_is_followed_and_vertices_stay_beside_their_neighbours():
    points, faces = sphere()
    samples = with_a_bump(sphere(5)[0])
    moved = Membrane(len(points), faces).drawn(points, samples, STIFFNESS, ROBUST)
    top = points[:, 2] > 0.8
    before, after = (cKDTree(samples).query(one[top])[0] for one in (points, moved))
    assert after.mean() < before.mean() / 2
    edges = np.linalg.norm(np.diff(moved[faces[:, :2]], axis=1), axis=2)
    assert edges.max() < 3 * np.linalg.norm(np.diff(points[faces[:, :2]], axis=1), axis=2).max()


def test_what_a_part_of_a_shape_lacks_stays_near_where_it_was():
    points, faces = sphere()
    samples = 1.03 * sphere(5)[0]
    moved = Membrane(len(points), faces).drawn(points, samples[samples[:, 2] > 0], STIFFNESS, ROBUST)
    assert np.linalg.norm(moved - points, axis=1).max() < 0.09
    seen = points[:, 2] > 0.2
    assert np.abs(np.linalg.norm(moved[seen], axis=1) - 1.03).max() < 0.015


def test_stray_samples_pull_on_nothing():
    points, faces = sphere()
    samples = sphere(5)[0]
    strays = np.random.default_rng(0).normal(0, 4, (50, 3))
    moved = Membrane(len(points), faces).drawn(points, np.concatenate([samples, strays]), STIFFNESS, ROBUST)
    assert np.linalg.norm(moved - points, axis=1).max() < 0.05


def test_a_vertex_without_triangles_is_no_fault():
    points, faces = sphere(2)
    alone = np.concatenate([points, [[0.0, 0.0, 1.0]]])
    assert np.isfinite(Membrane(len(alone), faces).drawn(alone, points, STIFFNESS, ROBUST)).all()
