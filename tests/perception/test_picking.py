"""The procedure asks for the right motions and looks in the right order, and ends where it must."""

import asyncio
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from perception.errors import BlockworldError
from perception.node_parameters import PickParameters
from perception.picking import Found, pick

ROUGH = Found(np.array([0.50, 0.10, 0.015]), 1.0, (0.09, 0.04, 0.045), 0.9)
EXACT = Found(np.array([0.51, 0.09, 0.012]), 1.1, (0.10, 0.035, 0.056), 0.8, ("camera_2 hardly shows the block",))
P = PickParameters()


@dataclass
class Moved:
    holding: bool
    message: str = ""


@dataclass
class RecordedHands:
    """Hands that write down what they are asked for. fine: one answer, or one after the other."""

    coarse: Found = ROUGH
    fine: Found | list[Found] = EXACT
    holding: bool = True
    asked: list = field(default_factory=list)
    steps: list = field(default_factory=list)

    def begin(self, step, message):
        self.steps.append(step)

    async def home(self):
        self.asked.append("home")

    async def move(self, position_m, yaw_rad, opening_m):
        self.asked.append((self.steps[-1], np.round(position_m, 6).tolist(), yaw_rad, opening_m))
        return Moved(self.holding)

    async def look(self, stage, clamp_yaws_rad):
        self.asked.append((stage, list(clamp_yaws_rad)))
        answer = getattr(self, stage)
        return answer.pop(0) if isinstance(answer, list) else answer


def run(hands, parameters=P):
    asyncio.run(pick(hands, parameters))
    return hands


def test_the_steps_come_in_order():
    hands = run(RecordedHands())
    assert hands.steps == ["home", "coarse", "hover", "fine", "approach", "descend", "close", "lift"]


def test_it_looks_from_above_the_rough_place_and_grasps_at_the_exact_one():
    home, coarse, hover, fine, approach, descend, close, lift = run(RecordedHands()).asked
    assert (home, coarse) == ("home", ("coarse", []))
    assert hover == ("hover", [0.50, 0.10, pytest.approx(0.015 + P.hover_m)], 0.0, P.opening_m)
    assert fine == ("fine", [0.0, pytest.approx(np.pi / 2)])
    middle = 0.012 + 0.028
    for step, height, opening in (
        (approach, 0.012 + P.hover_m, P.opening_m),
        (descend, middle, P.opening_m),
        (close, middle, 0.0),
        (lift, middle + P.lift_m, 0.0),
    ):
        assert step[1] == pytest.approx([0.51, 0.09, height])
        assert np.cos(step[2] - EXACT.yaw_rad) == pytest.approx(0, abs=1e-9), "across the short side"
        assert abs(step[2] - np.pi / 2) <= np.pi / 2, "by the shorter turn"
        assert step[3] == opening


ASIDE = replace(EXACT, position_m=np.array([0.58, 0.10, 0.012]), confidence=0.2)


def test_a_block_aside_of_the_clamp_is_hovered_over_and_looked_at_once_more():
    hands = run(RecordedHands(fine=[ASIDE, EXACT]))
    assert hands.steps[2:] == ["hover", "fine", "hover", "fine", "approach", "descend", "close", "lift"]
    again, fine, approach = hands.asked[4:7]
    assert again == ("hover", [0.58, 0.10, pytest.approx(0.012 + P.hover_m)], 0.0, P.opening_m)
    assert fine == hands.asked[3]
    assert approach[1][:2] == [0.51, 0.09]


def test_it_is_looked_at_twice_at_most_and_believed_only_with_confidence():
    hands = RecordedHands(fine=[ASIDE, replace(ASIDE, position_m=np.array([0.7, 0.0, 0.0]))])
    with pytest.raises(BlockworldError, match=r"fine: .* confidence"):
        run(hands)
    assert hands.steps[2:] == ["hover", "fine", "hover", "fine"]


def test_an_estimate_of_hardly_any_confidence_is_not_followed():
    hands = RecordedHands(fine=replace(ASIDE, confidence=0.05))
    with pytest.raises(BlockworldError, match=r"fine: .* confidence of 0\.05"):
        run(hands)
    assert hands.steps[2:] == ["hover", "fine"]


def test_a_flat_block_is_grasped_no_lower_than_the_fingers_may_go():
    flat = replace(EXACT, size_m=(0.1, 0.04, 0.01))
    assert run(RecordedHands(fine=flat)).asked[5][1][2] == pytest.approx(0.012 + P.grasp_m)


def test_the_first_orientation_may_be_given():
    hands = run(RecordedHands(), replace(P, clamp_yaw_rad=2.5))
    assert hands.asked[3] == ("fine", [2.5, pytest.approx(2.5 + np.pi / 2 - 2 * np.pi)])


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_an_unsure_estimate_moves_nothing_any_more(stage):
    unsure = {stage: replace(EXACT, confidence=0.2)}
    hands = RecordedHands(**unsure)
    with pytest.raises(BlockworldError, match=rf"{stage}: .* confidence of 0\.20.*camera_2 hardly shows"):
        run(hands)
    assert hands.steps[-1] == stage


def test_a_block_that_is_not_held_is_not_picked():
    with pytest.raises(BlockworldError, match="lift: the block is not held"):
        run(RecordedHands(holding=False))
