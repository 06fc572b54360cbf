"""Grasps of shapes are tried where the arm has a way in; each of the three rules tells good grasps from bad ones."""

from dataclasses import replace

import numpy as np
import pytest

from sim.grasp_rules import TrialRules
from sim.inverse_kinematics import hover_pose
from sim.shape_trials import RULES, ShapeTrials
from sim.shapes.bottle import Bottle
from sim.shapes.family import ObjectShape
from sim.shapes.mug import Mug

BRIEF = replace(
    RULES, mass_kg=(0.2, 0.2), grip_friction=(0.6, 0.6), hold_s=0.3, shake_periods=2, push_s=0.1
)
MUG = Mug(taper=1.0, swell=0.0)
RIM = hover_pose((MUG.wall_m / 2 - MUG.radius_m, 0.0, MUG.height_m - 0.015), 0.0)
NECK = Bottle().height_m - 0.03


@pytest.fixture(scope="module")
def mug():
    return ObjectShape.of(MUG)


def attempt(shape, pose, opening_m, rules=BRIEF, seed=0):
    return ShapeTrials(shape, rules).run(pose, opening_m, seed)


def test_a_pinch_of_a_mug_s_wall_passes_all_three_rules(mug):
    result = attempt(mug, RIM, 0.03)
    assert (result.lifted, result.shaken, result.pushed, result.reason) == (True, True, True, "")
    assert [phase.name for phase in result.phases] == [*BRIEF.phases]
    assert MUG.wall_m < result.opening_m < MUG.wall_m + 0.006  # flat pads on a round wall


def test_a_bottle_is_grasped_from_its_side():
    sideways = np.eye(4)
    sideways[:3, :3] = ((0, 0, -1.0), (-1.0, 0, 0), (0, 1.0, 0))  # comes along -x of the bottle, closes along y
    sideways[:3, 3] = (0, 0, NECK)
    result = attempt(ObjectShape.of(Bottle()), sideways, 0.06)
    assert result.success, result.reason


def test_a_grasp_beside_the_mug_closes_on_nothing(mug):
    result = attempt(mug, hover_pose((-MUG.radius_m - 0.06, 0.0, 0.06), np.pi / 2), 0.03)
    assert (result.lifted, result.shaken, result.pushed) == (False, False, False)
    assert result.reason == "fingers closed on nothing"


def test_a_slippery_mug_is_not_lifted(mug):
    result = attempt(mug, RIM, 0.03, replace(BRIEF, grip_friction=(0.005, 0.005)))
    assert not result.lifted and "slipped while lifting" in result.reason


def test_a_hard_shake_fails_the_second_rule_alone(mug):
    result = attempt(mug, RIM, 0.03, replace(BRIEF, grip_n=6.0, shake_m=0.04, shake_hz=5.0, push_n=0.0))
    assert (result.lifted, result.shaken, result.pushed) == (True, False, True), result.reason
    assert "while shaken" in result.reason


def test_a_strong_push_fails_the_third_rule_alone(mug):
    result = attempt(mug, RIM, 0.03, replace(BRIEF, push_n=80.0, push_s=0.3))
    assert (result.lifted, result.shaken, result.pushed) == (True, True, False)
    assert "dropped while pushed by 82.0 N along its" in result.reason


def test_the_order_of_the_tests_does_not_matter(mug):
    first = attempt(mug, RIM, 0.03, replace(BRIEF, tests=("shake", "push")))
    second = attempt(mug, RIM, 0.03, replace(BRIEF, tests=("push", "shake")))
    assert (first.shaken, first.pushed) == (second.shaken, second.pushed) == (True, True)


def test_a_grasp_from_below_tells_why_it_fails(mug):
    below = np.eye(4)
    below[:3, 3] = (MUG.radius_m, 0, 0.03)
    result = attempt(mug, below, 0.05)
    assert not result.lifted
    assert "did not reach" in result.reason or "collided on approach" in result.reason


def test_equal_seeds_give_equal_results_and_others_draw_other_masses(mug):
    rules = replace(BRIEF, mass_kg=(0.1, 0.4), tests=("push",))
    first, again, other = (attempt(mug, RIM, 0.03, rules, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.mass_kg != other.mass_kg


def test_a_test_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="there is no test 'drop': choose of shake, push"):
        TrialRules(tests=("drop",))  # type: ignore[arg-type]
