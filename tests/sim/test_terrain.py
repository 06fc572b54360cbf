"""Uneven ground has the height that it says, is level under the robot, and things lie on it."""

import numpy as np
import pytest

from sim.meshes import load_mesh
from sim.randomization.supports import Support
from sim.scene import Material
from sim.terrain import KINDS, ground


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def some_places(count: int = 3000) -> np.ndarray:
    return np.random.default_rng(3).uniform((-0.6, -0.9), (1.2, 0.9), (count, 2)).T


def test_a_ground_is_a_function_of_its_name(kind):
    x, y = some_places()
    assert np.array_equal(ground(kind, 2).height(x, y), ground.__wrapped__(kind, 2).height(x, y))
    assert not np.array_equal(ground(kind, 2).height(x, y), ground(kind, 3).height(x, y))


def test_the_mesh_has_the_height_of_the_ground(kind):
    """Points on triangles lie on the surface; those of stones, which are angular, a little inside them."""
    mesh, rng = load_mesh(f"terrain/{kind}/5"), np.random.default_rng(0)
    corners = mesh.vertices[mesh.faces[rng.integers(len(mesh.faces), size=4000)]].astype(float)
    points = (corners * rng.dirichlet((1, 1, 1), 4000)[:, :, None]).sum(axis=1)
    below = ground(kind, 5).height(points[:, 0], points[:, 1]) - points[:, 2]
    assert below.min() > -1e-5
    if kind in ("mounds", "ripples"):
        assert below.max() < 1e-5
    assert np.median(below) < 0.2


def test_triangles_are_few_and_face_up(kind):
    mesh = load_mesh(f"terrain/{kind}/1")
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    assert len(mesh.faces) <= 5000
    assert np.cross(b - a, c - a)[:, 2].min() > -1e-9


def test_heights_stay_within_one_and_the_robot_stands_level(kind):
    x, y = some_places()
    height = ground(kind, 4).height(x, y)
    near = np.hypot(x - 0.3, y) < 1
    assert np.abs(height[near]).max() <= 1 + 1e-6
    assert height[near].std() > 0.1
    assert np.all(height[np.hypot(x, y) < 0.13] == 0)


def test_height_takes_any_shape():
    square = ground("gravel", 0).height(np.linspace(0.2, 0.6, 5)[:, None], np.linspace(-0.2, 0.2, 4))
    assert square.shape == (5, 4)
    assert square[2, 1] == ground("gravel", 0).height(0.4, np.linspace(-0.2, 0.2, 4)[1])


def on(kind: str | None) -> Support:
    far = np.array([2.0, 2.0])
    return Support((), Material((1, 1, 1)), -far, far, kind, seed=3, amplitude_m=0.015)


def test_things_rest_on_the_highest_point_under_them(kind):
    support, size = on(kind), (0.1, 0.05)
    poses = support.lay([0.4, 0.5], [-0.1, 0.2], [0.3, 2.0], size, most_tilt_rad=0.2)
    for pose, yaw in zip(poses, (0.3, 2.0), strict=True):
        u, v = (
            part.ravel() for part in np.meshgrid(np.linspace(-0.05, 0.05, 41), np.linspace(-0.025, 0.025, 21))
        )
        bottom = pose[:3, 3] + u[:, None] * pose[:3, 0] + v[:, None] * pose[:3, 1]
        gap = bottom[:, 2] - support.height(bottom[:, 0], bottom[:, 1])
        assert -0.0025 < gap.min() < 0.0015
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3))
        assert np.arctan2(pose[1, 0], pose[0, 0]) == pytest.approx(yaw)
        assert np.arccos(pose[2, 2]) <= 0.2 + 1e-9


def test_things_are_tilted_and_sunk_no_more_than_asked(kind):
    steep, flat = (on(kind).lay(0.4, 0.1, 0.5, (0.1, 0.05), tilt)[0] for tilt in (0.3, 0.001))
    sunk = on(kind).lay(0.4, 0.1, 0.5, (0.1, 0.05), 0.3, sunk_m=0.004)[0]
    assert np.arccos(flat[2, 2]) <= 0.001 + 1e-9 < np.arccos(steep[2, 2])
    assert steep[2, 3] - sunk[2, 3] == pytest.approx(0.004)


def test_on_a_flat_support_things_lie_flat():
    poses = on(None).lay([0.4, 0.5], 0.1, [0.0, np.pi / 2], (0.1, 0.05), 0.3)
    assert poses[0] == pytest.approx(np.array([(1, 0, 0, 0.4), (0, 1, 0, 0.1), (0, 0, 1, 0), (0, 0, 0, 1)]))
    assert poses[1, :3, 0] == pytest.approx([0, 1, 0])


@pytest.mark.parametrize("name", ["terrain/moon/1", "terrain/gravel", "terrain/gravel/x"])
def test_an_unknown_ground_is_told(name):
    with pytest.raises(ValueError, match="there is no"):
        load_mesh(name)
