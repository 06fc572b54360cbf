"""The closed loop in the simulated world, with sights that know the truth, more or less."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from perception.errors import LocalizationError
from perception.node_parameters import PickParameters
from sim.picking import CONDITIONS, Truth, episode, found_of, unseen
from sim.randomization import changed, preset, sample_scene
from sim.robots import load_robot
from sim.scene import DISTRACTOR
from sim.world import PybulletWorld

SEED = 800
ROBOT = load_robot("panda").robot
DATA_SETS = sorted((Path(__file__).parents[2] / "training/localization/datasets").glob("*.yaml"))


class Estimated(Truth):
    """The truth with errors as networks make them: place and height in m, yaw in rad, more of each from overviews."""

    def __init__(self, world, place_m=0.002, height_m=0.003, yaw_rad=0.02, offset_m=(0.0, 0.0, 0.0)):
        super().__init__(world)
        object.__setattr__(self, "rng", np.random.default_rng(1))
        object.__setattr__(self, "spread", np.array([place_m, place_m, height_m, yaw_rad]))
        object.__setattr__(self, "offset_m", np.array(offset_m))

    def see(self, stage, views):
        assert len(views) == {"coarse": 3, "fine": 6}[stage]
        *shift, turn = self.spread * self.rng.standard_normal(4) * (6 if stage == "coarse" else 1)
        found = super().see(stage, views)
        offset = shift + self.offset_m * (stage == "fine")
        return replace(found, position_m=found.position_m + offset, yaw_rad=found.yaw_rad + turn)


class Blind(Truth):
    """Sees nothing, from the given stage on."""

    def __init__(self, world, stage):
        super().__init__(world)
        object.__setattr__(self, "stage", stage)

    def see(self, stage, views):
        if stage == self.stage:
            raise LocalizationError("no view shows the block.")
        return super().see(stage, views)


class Unlit(PybulletWorld):
    """A world whose pictures are black, because drawing them takes longer than all the rest."""

    def image(self, camera):
        return np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(scope="module", params=CONDITIONS)
def world(request):
    opened = Unlit(SEED, 0, config=unseen(request.param))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def table():
    opened = Unlit(SEED, 0)
    yield opened
    opened.close()


def test_blocks_are_picked_under_every_condition_with_errors_of_estimates(world):
    picked = []
    for index in range(6):
        world.reset(SEED, index)
        done = episode(world, ROBOT, Estimated(world))
        assert done.picked == world.block_truth().lifted == (done.reason == "")
        assert done.picked == (done.message == "")
        picked.append(done.picked)
    assert sum(picked) >= 5


def test_an_episode_is_a_function_of_its_number(table):
    def run():
        table.reset(SEED, 3)
        return episode(table, ROBOT, Estimated(table)), table.block_truth()

    first, there = run()
    table.reset(SEED, 4)
    again, here = run()
    assert first == again and (there.x_m, there.z_m) == (here.x_m, here.z_m)


def test_errors_are_those_of_the_estimates(table):
    table.reset(SEED, 0)
    done = episode(table, ROBOT, Estimated(table, 0.0, 0.0, 0.0, offset_m=(0.003, 0.004, -0.002)))
    assert done.coarse.place_m == done.coarse.yaw_rad == 0
    assert done.fine.place_m == pytest.approx(0.005) and done.fine.height_m == pytest.approx(0.002)
    assert done.picked and done.fine.confidence == 1


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_a_block_that_is_not_seen_is_not_localized(table, stage):
    table.reset(SEED, 0)
    done = episode(table, ROBOT, Blind(table, stage))
    assert not done.picked and done.reason == f"{stage} not localized"
    assert done.message == f"{stage}: no view shows the block."
    assert (done.coarse is None) == (stage == "coarse") and done.fine is None


def test_an_estimate_without_confidence_is_refused(table):
    table.reset(SEED, 0)
    done = episode(table, ROBOT, Truth(table), PickParameters(least_confidence=1.1))
    assert done.reason == "coarse unsure" and done.coarse.place_m == 0
    assert not table.block_truth().lifted


def test_a_place_out_of_reach_is_told(table):
    table.reset(SEED, 0)
    done = episode(table, ROBOT, Estimated(table, offset_m=(2.0, 0.0, 0.0)))
    assert done.reason == "hover not reached" and "does not reach" in done.message


def test_a_grasp_into_the_support_does_not_reach(table):
    table.reset(SEED, 0)
    done = episode(table, ROBOT, Estimated(table, offset_m=(0.0, 0.0, -0.06)))
    assert done.reason == "descend not reached" and "in its way" in done.message


def test_a_grasp_beside_the_block_misses(table):
    table.reset(SEED, 0)
    truth = table.block_truth()
    beside = 0.12 * np.array([truth.x_m, truth.y_m, 0.0]) / -np.hypot(truth.x_m, truth.y_m)
    done = episode(table, ROBOT, Estimated(table, offset_m=beside))
    assert done.reason == "missed" and "not held" in done.message


def test_the_truth_is_where_the_block_is(table):
    table.reset(SEED, 0)
    found, truth = found_of(table.block_truth()), table.block_truth()
    assert found.position_m.tolist() == [truth.x_m, truth.y_m, truth.z_m]
    assert found.size_m == tuple(truth.size_m) and found.yaw_rad == truth.yaw_rad


def names_of(scene):
    """Everything in a scene that comes from a pool by its number: textures, distractors, grounds."""
    materials = [scene.block.material, *scene.robot_materials, *(body.material for body in scene.bodies)]
    textures = [material.texture for material in materials] + [scene.environment.backdrop]
    meshes = {body.mesh for body in scene.bodies if body.mesh.count("/") == 2}
    return {(one.family, one.seed) for one in textures if one} | meshes


def drawn(config, count=30):
    return set().union(*(names_of(sample_scene("coarse", SEED, index, 1, config)) for index in range(count)))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_unseen_conditions_draw_nothing_that_training_draws(condition):
    def numbers(names):
        return [int(name.split("/")[2]) if isinstance(name, str) else name[1] for name in names]

    seen, fresh = numbers(drawn(preset(condition))), numbers(drawn(unseen(condition)))
    assert max(seen) < min(fresh)
    assert len(set(fresh)) > 6, "they vary"


@pytest.mark.parametrize("path", DATA_SETS, ids=lambda path: path.stem)
def test_no_training_set_draws_what_is_unseen(path):
    values = yaml.safe_load(path.read_text())
    ranges = changed(preset(values.get("preset", "train")), values.get("randomization", {}))
    most = max(ranges.texture_seeds, ranges.distractors.seeds, ranges.terrain.seeds)
    first = {unseen(condition).first_seed for condition in CONDITIONS}
    assert ranges.first_seed + most <= min(first)


def test_unseen_conditions_are_else_those_of_the_preset():
    for condition in CONDITIONS:
        assert changed(unseen(condition), {"first_seed": 0}) == preset(condition)
    scene = sample_scene("coarse", SEED, 0, 3, unseen("adv"))
    known = sample_scene("coarse", SEED, 0, 3, preset("adv"))
    assert scene.block.size_m == known.block.size_m and scene.lights == known.lights
    assert sum(body.label >= DISTRACTOR for body in scene.bodies) > 0
