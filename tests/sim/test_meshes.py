"""Every mesh is closed in itself: faces outward, unit normals, within its budget; names that are not there are told."""

import numpy as np
import pytest

from sim.distractors import KINDS
from sim.meshes import PRIMITIVES, Mesh, load_mesh

BUDGET = 400


def check(mesh: Mesh) -> None:
    assert (mesh.vertices.dtype, mesh.uv.dtype, mesh.faces.dtype) == (np.float32, np.float32, np.int32)
    assert mesh.vertices.shape == mesh.normals.shape == (len(mesh.uv), 3)
    assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.uv).all()
    assert np.linalg.norm(mesh.normals[np.unique(mesh.faces)], axis=1) == pytest.approx(1, abs=1e-3)
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    outward = np.cross(b - a, c - a)
    assert np.all(np.linalg.norm(outward, axis=1) > 0)
    assert np.all((outward * mesh.normals[mesh.faces].sum(axis=1)).sum(axis=1) > 0)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives_fill_the_unit_cube(name):
    mesh = load_mesh(name)
    check(mesh)
    extent = np.ptp(mesh.vertices, axis=0)
    assert extent == pytest.approx([1, 1, 0 if name == "plane" else 1], abs=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_distractors_stand_on_the_ground(kind):
    for seed in range(12):
        mesh = load_mesh(f"distractor/{kind}/{seed}")
        check(mesh)
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        assert low[2] == pytest.approx(0, abs=1e-6)
        assert (low + high)[:2] == pytest.approx([0, 0], abs=1e-6)
        assert 0.02 < np.linalg.norm(high - low) < 0.35
        assert len(mesh.faces) <= BUDGET


def test_distractors_of_a_kind_differ():
    sizes = [np.ptp(load_mesh(f"distractor/box/{seed}").vertices, axis=0) for seed in range(6)]
    assert len(np.unique(np.round(sizes, 4), axis=0)) == 6


@pytest.mark.parametrize("kind", ["cube", "card", "l_shape", "wedge", "cylinder", "prism", "stack"])
def test_block_like_things_are_not_blocks(kind):
    """None is a cuboid of a block's sides: 60 to 120 mm, 25 to 55 mm, 30 to 60 mm, 1.3 times as long as wide."""
    for seed in range(12):
        mesh = load_mesh(f"distractor/{kind}/{seed}")
        length, width, height = np.ptp(mesh.vertices, axis=0)
        sized = length >= 1.3 * width and 0.06 <= length <= 0.12 and 0.03 <= height <= 0.06
        cuboid = len(np.unique(mesh.vertices.round(5), axis=0)) == 8 and kind != "wedge"
        assert not (sized and cuboid)


@pytest.mark.parametrize("name", ["pyramid", "distractor/dragon/1", "distractor/box/one", "robot"])
def test_a_mesh_that_is_not_there_is_told(name):
    with pytest.raises(ValueError, match=r"there is no|no robot"):
        load_mesh(name)
