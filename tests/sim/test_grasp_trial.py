"""Grasp trials: exact grasps succeed with every robot, and each way to fail is told with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from sim.bullet import pybullet
from sim.grasp_trial import GraspTrial, TrialRules
from sim.grasps import Grasp, finger_depth_m, grasp_of
from sim.meshes import plane
from sim.robots import load_robot
from sim.scene import DISTRACTOR, Block, Body, Material
from sim.solids import Solid

GRAY = Material((0.5, 0.5, 0.5))
BLOCK = Block((0.09, 0.04, 0.05), 0.45, 0.1, 0.6, GRAY)
ROBOTS = ("panda", "iiwa_wsg50", "xarm6")
BRIEF = TrialRules(hold_s=0.3, shake_periods=2)


def attempt(rules=BRIEF, thing=BLOCK, grasp=None, around=(), robot="panda", seed=0, **film):
    grasp = grasp or grasp_of(BLOCK, load_robot(robot))
    return GraspTrial(robot, rules, **film).run(thing, grasp, around, seed)


def across(grasp: Grasp, offset_m: float) -> Grasp:
    """The grasp moved along its closing direction."""
    return grasp.disturbed(offset_m * grasp.T_base_clamp[:3, 0])


@pytest.fixture
def exact() -> Grasp:
    return grasp_of(BLOCK, load_robot("panda"))


@pytest.mark.parametrize("robot", ROBOTS)
def test_an_exact_grasp_passes_every_phase(robot):
    result = attempt(TrialRules(), robot=robot)
    assert (result.success, result.reason, result.failed_phase) == (True, "", None)
    assert [phase.name for phase in result.phases] == ["reach", "approach", "close", "lift", "hold", "shake"]
    lift, hold, shake = result.phases[3:]
    assert lift.end_s - lift.start_s == pytest.approx(0.10 / 0.10, abs=0.15), "10 cm at 0.1 m/s"
    assert hold.end_s - hold.start_s == pytest.approx(2.0, abs=0.01)
    assert shake.end_s - shake.start_s == pytest.approx(3 * 4 / 3.0, abs=0.05), "three axes, 4 periods, 3 Hz"
    assert min(lift.forces_n) > 5.0
    assert result.opening_m == pytest.approx(BLOCK.size_m[1], abs=0.004)


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_finger_presses_with_the_force_that_was_asked_for(robot):
    result = attempt(replace(BRIEF, grip_n=12.0), robot=robot)
    assert result.success, result.reason
    assert result.phases[3].forces_n == pytest.approx((12.0, 12.0), rel=0.35)


def test_out_of_reach():
    result = attempt(grasp=Grasp.down((1.4, 0.2, 0.05), 0.0, 0.08))
    assert not result.success
    assert result.reason.startswith("did not reach: panda has no straight way in to a clamp at (1.400, 0.200, 0.050) m")
    assert result.failed_phase == "reach"


def test_a_finger_that_lands_on_the_block_has_collided(exact):
    result = attempt(grasp=across(exact, 0.03))
    assert result.reason in {f"collided on approach: link panda_{side}finger with block" for side in ("left", "right")}


def test_a_block_wider_than_the_gripper_opens_is_hit(exact):
    wide = replace(BLOCK, size_m=(0.09, 0.085, 0.05))
    assert attempt(thing=wide, grasp=exact).reason.endswith("finger with block")


def test_a_distractor_in_the_way_is_named(exact):
    pose = np.eye(4)
    pose[:3, 3] = exact.position_m + (0, 0, 0.03) + 0.04 * exact.T_base_clamp[:3, 0]
    other = Body("box", pose, GRAY, DISTRACTOR + 2, (0.03, 0.03, 0.1))
    assert attempt(grasp=exact, around=[other]).reason.endswith("with distractor 2")


def test_the_support_is_named(exact):
    aside = exact.disturbed((0, 0.2, -0.04))
    assert attempt(grasp=aside).reason.endswith("finger with support")


def test_fingers_that_close_above_the_block_close_on_nothing(exact):
    result = attempt(grasp=exact.disturbed((0, 0, 0.06)))
    assert (result.reason, result.failed_phase) == ("fingers closed on nothing", "close")


def test_a_block_too_heavy_to_push_stops_one_finger(exact):
    rules = replace(BRIEF, mass_kg=(80.0, 80.0))
    assert attempt(rules, grasp=across(exact, 0.012)).reason == "only one finger touches"


def test_too_little_friction_slips_while_lifting():
    result = attempt(replace(BRIEF, grip_friction=(0.01, 0.01)))
    assert result.reason.startswith("slipped while lifting"), result.reason


def test_a_load_that_the_fingers_hold_still_but_not_shaken_is_dropped():
    rules = TrialRules(grip_friction=(0.3, 0.3), mass_kg=(0.3, 0.3), grip_n=7.5, hold_s=0.3, shake_hz=5.0)
    result = attempt(rules)
    assert result.failed_phase == "shake", result.reason
    assert result.reason.startswith("dropped while shaken along the clamp's")


def test_a_block_that_is_pulled_out_is_dropped_while_held():
    def pull(moment):
        """90 N straight down, on all that moves."""
        for client in range(16) if moment.phase == "hold" else ():
            if pybullet.isConnected(client):
                for body in range(pybullet.getNumBodies(client)):
                    if pybullet.getNumJoints(body, client) == 0:
                        place, _ = pybullet.getBasePositionAndOrientation(body, client)
                        pybullet.applyExternalForce(body, -1, (0, 0, -90), place, pybullet.WORLD_FRAME, client)

    result = attempt(film=pull, film_every_s=1e-3)
    assert result.failed_phase == "hold"
    assert result.reason.startswith("dropped while held, "), result.reason


def test_an_arm_too_weak_does_not_lift():
    rules = replace(BRIEF, mass_kg=(14.0, 14.0), grip_friction=(10.0, 10.0))
    result = attempt(rules)
    assert result.failed_phase == "lift", result.reason


def test_sixty_millimetres_off_never_succeeds(exact):
    for offset in (0.06, -0.06):
        assert not attempt(grasp=across(exact, offset)).success
    along = exact.T_base_clamp[:3, 1]
    assert not attempt(grasp=exact.disturbed((BLOCK.size_m[0] / 2 + 0.06) * along)).success


def test_equal_seeds_give_equal_results_and_others_draw_other_masses():
    rules = replace(BRIEF, mass_kg=(0.05, 0.4), grip_friction=(0.6, 1.2))
    first, again, other = (attempt(rules, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert (first.mass_kg, first.grip_friction) != (other.mass_kg, other.grip_friction)
    assert 0.05 <= first.mass_kg <= 0.4


def test_a_film_sees_the_block_rise():
    moments = []
    result = attempt(film=moments.append, film_every_s=0.1)
    assert result.success
    times = [moment.time_s for moment in moments]
    assert np.allclose(np.diff(times), 0.1, atol=0.01)
    assert max(moment.pose[2, 3] for moment in moments) > 0.1
    assert len(moments) == pytest.approx(result.duration_s / 0.1, abs=2)
    assert {moment.phase for moment in moments} == {phase.name for phase in result.phases}


def test_a_mesh_is_grasped_like_a_block():
    pose = BLOCK.body.pose
    cone = Solid("cylinder", pose, (0.04, 0.04, 0.05), "tin")
    result = attempt(thing=cone)
    assert result.success, result.reason


def test_a_mesh_without_volume_is_refused():
    sheet = Solid(plane(), BLOCK.body.pose, (0.1, 0.1, 1.0), "sheet")
    with pytest.raises(ValueError, match="the mesh of the sheet has no volume"):
        attempt(thing=sheet)


def test_a_force_that_the_gripper_has_not_is_refused():
    with pytest.raises(ValueError, match="grip_n is 500 N, but the fingers of panda press with 30 N"):
        attempt(TrialRules(grip_n=500.0))


def test_an_opening_beyond_the_gripper_is_refused(exact):
    with pytest.raises(ValueError, match=r"opening is 0\.120 m, but the gripper of panda opens 0\.080 m"):
        attempt(grasp=replace(exact, opening_m=0.12))


@pytest.mark.parametrize(
    ("pose", "opening", "said"),
    [
        (np.eye(3), 0.05, r"matrix \(4, 4\)"),
        (np.full((4, 4), np.nan), 0.05, "finite"),
        (2 * np.eye(4), 0.05, "rotation"),
        (np.eye(4), 0.0, "opening is 0.0 m"),
    ],
)
def test_what_is_no_grasp_is_refused(pose, opening, said):
    with pytest.raises(ValueError, match=said):
        Grasp(pose, opening)


@pytest.mark.parametrize("wrong", [{"lift_m": 0.0}, {"mass_kg": (0.3, 0.1)}, {"grip_n": -1.0}, {"hold_s": np.inf}])
def test_rules_that_cannot_be_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrialRules(**wrong)


@pytest.mark.parametrize("robot", ROBOTS)
def test_fingers_reach_beyond_the_clamp_by_their_tips(robot):
    assert 0.0 < finger_depth_m(load_robot(robot)) < 0.03
