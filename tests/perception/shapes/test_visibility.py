"""Points that are seen from outside, and the side that they are seen from."""

import numpy as np
import trimesh

from perception.shapes.visibility import seen_side


def test_normals_of_a_surface_seen_side_its_back_are_turned():
    ball = trimesh.creation.icosphere(3)
    points, faces = trimesh.sample.sample_surface(ball, 800, seed=0)
    inward = -ball.face_normals[faces]
    assert (seen_side(points, inward) < 0).mean() > 0.97
    assert (seen_side(points, -inward) > 0).mean() > 0.97


def test_what_is_inside_is_not_seen():
    outer, inner = trimesh.creation.icosphere(4), trimesh.creation.icosphere(2).apply_scale(0.4)
    points = np.concatenate([outer.vertices, inner.vertices])
    seen = seen_side(points, points)
    assert (seen[: len(outer.vertices)] == 1).mean() > 0.97 and not seen[len(outer.vertices) :].any()
