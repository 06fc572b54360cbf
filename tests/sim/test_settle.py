"""Things that were let fall lie on what is under them: flat on a plane, tilted with uneven ground, never inside it."""

from dataclasses import replace

import numpy as np
import pytest

from sim.collisions import overlaps
from sim.randomization import preset, sample_scene
from sim.scene import DISTRACTOR, SUPPORT, Block, Body, Material
from sim.settle import settle, settle_scene
from sim.solids import Solid

GRAY = Material((0.5, 0.5, 0.5))
BLOCK = Block((0.09, 0.04, 0.05), 0.45, 0.1, 0.6, GRAY)


def ground(kind: str = "dirt", seed: int = 3, height_m: float = 0.02) -> Body:
    return Body(f"terrain/{kind}/{seed}", np.eye(4), GRAY, SUPPORT, (1.0, 1.0, height_m))


def tilt_deg(pose: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(pose[2, 2], -1, 1))))


def test_a_block_rests_flat_on_the_plane_where_it_was_put():
    pose = settle([BLOCK]).poses[0]
    assert tilt_deg(pose) < 0.05
    assert pose[:3, 3] == pytest.approx(BLOCK.body.pose[:3, 3], abs=3e-4)
    assert np.arctan2(pose[1, 0], pose[0, 0]) == pytest.approx(BLOCK.yaw_rad, abs=2e-3)


@pytest.mark.parametrize("kind", ["dirt", "gravel", "mounds", "ripples"])
def test_on_uneven_ground_a_block_lies_on_it_and_tilts_as_it_does(kind):
    support = ground(kind)
    scene = replace(sample_scene("coarse", 0, 0), block=BLOCK, bodies=(support,))
    settled = settle_scene(scene)
    assert not [one for one in overlaps(settled) if "block" in (one.first, one.second)]
    assert 0.0 < tilt_deg(settled.block.T_base_block) < 35.0
    corner = settled.block.T_base_block @ [*(np.array(BLOCK.size_m) / (2, 2, np.inf)), 1.0]
    assert abs(corner[2]) < 0.04, "no higher and no lower than the ground is uneven"


def test_a_settled_field_scene_is_free_of_overlaps():
    scene = sample_scene("coarse", 5, 1, 1, preset("field"))
    settled = settle_scene(scene)
    assert [body.mesh for body in settled.bodies] == [body.mesh for body in scene.bodies]
    assert not [one for one in overlaps(settled, 1.0) if "link" not in one.first]


def test_things_in_one_place_end_on_each_other():
    upper = replace(BLOCK, size_m=(0.08, 0.04, 0.03))
    lower, top = settle([BLOCK, upper]).poses
    assert lower[2, 3] == pytest.approx(0.025, abs=5e-4)
    assert top[2, 3] == pytest.approx(0.05 + 0.015, abs=1e-3)


def test_a_block_stood_on_its_edge_topples():
    pose = BLOCK.body.pose.copy()
    pose[:3, :3] = pose[:3, :3] @ np.array([(1, 0, 0), (0, 0.8, -0.6), (0, 0.6, 0.8)])
    settled = settle([Solid("box", pose, BLOCK.size_m)]).poses[0]
    upright = np.abs(settled[2, :3]).max()
    assert upright == pytest.approx(1.0, abs=1e-4), "one of its faces is down"


def test_equal_arguments_give_equal_poses():
    things = [BLOCK, Body("distractor/stone/2", BLOCK.body.pose, GRAY, DISTRACTOR)]
    first, again = (settle(things, [ground()]).poses for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_thing_beside_its_support_is_refused():
    table = Solid("box", np.eye(4), (0.2, 0.2, 0.1), "support")
    with pytest.raises(ValueError, match=r"no support under the block at \(0\.450, 0\.100\) m"):
        settle([BLOCK], [table])


def test_a_thing_that_rolls_on_is_named():
    slope = np.eye(4)
    slope[:3, :3] = np.array([(0.94, 0, 0.34), (0, 1, 0), (-0.34, 0, 0.94)])
    ball = Solid("sphere", BLOCK.body.pose, (0.05, 0.05, 0.05), "ball")
    with pytest.raises(ValueError, match=r"the ball (did not come to rest within 1 s|fell off)"):
        settle([ball], [Solid("plane", slope, name="support")], longest_s=1.0)


def test_masses_must_be_as_many_and_positive():
    with pytest.raises(ValueError, match="masses_kg has 2 masses for 1 things"):
        settle([BLOCK], masses_kg=[0.1, 0.2])
    with pytest.raises(ValueError, match=r"mass of the block is 0\.0 kg"):
        settle([BLOCK], masses_kg=[0.0])
