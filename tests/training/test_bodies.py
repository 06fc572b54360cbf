"""Bodies that networks are trained on."""

from functools import cache

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

pytest.importorskip("anny")

from training.shapes.bodies import Bodies
from training.shapes.poses import RestBones, sample_pose


@cache
def bodies():
    return Bodies()


def test_the_template_is_one_upright_body_without_eyes_and_teeth():
    source = bodies()
    template, faces = source.template, source.faces
    assert template.shape == (13_348, 3)
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (len(template), len(template)))
    assert connected_components(graph, directed=False)[0] == 1
    assert 1.5 < np.ptp(template[:, 2]) < 1.9
    assert np.ptp(template[:, 1]) < 0.6


def test_samples_are_bodies_of_people_in_many_poses_and_follow_the_seed():
    first = bodies().sample(np.random.default_rng(3), 12).numpy()
    again = bodies().sample(np.random.default_rng(3), 12).numpy()
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    extents = np.ptp(first, axis=1).max(axis=1)
    assert ((extents > 0.8) & (extents < 2.7)).all()
    lengths = [np.linalg.norm(one[bodies().faces[:, 0]] - one[bodies().faces[:, 1]], axis=1).mean() for one in first]
    assert np.std(lengths) / np.mean(lengths) > 0.01
    assert np.linalg.norm(first[0] - first[1], axis=1).mean() > 0.05


def test_a_fifth_of_the_poses_bends_far_forward():
    bones = bodies()._bones
    assert isinstance(bones, RestBones)
    rng = np.random.default_rng(0)
    forward = []
    for _ in range(200):
        pose = sample_pose(rng, bones)
        turn = pose["root"]
        for number in range(5, 0, -1):
            turn = turn * pose[f"spine0{number}"]
        forward.append(np.degrees(np.arccos(np.clip((turn.apply((0, 0, 1.0)))[2], -1, 1))))
    assert 0.12 < np.mean(np.array(forward) > 45) < 0.35
