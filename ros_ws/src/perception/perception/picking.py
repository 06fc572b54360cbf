"""The procedure that picks the block up, whoever moves the robot and looks: the node `pick`, or a simulation.

home, coarse, hover, fine at two clamp orientations 90 degrees apart, approach, descend, close, lift. A block that the
close-ups show aside of the clamp is hovered over and looked at once more. Heights are those above the bottom of the
block as it was last seen, so that it may lie on uneven ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from perception.doubts import OUT_OF_RANGE
from perception.errors import BlockworldError
from perception.estimate import BlockEstimate
from perception.grasp import check_confidence, closing_yaw, wrap_turn
from perception.node_parameters import PickParameters

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Where the block is said to be: centre (3,) of its bottom face and yaw of its long side in base, length, width and
    height, the confidence in it, and what speaks against it, in sentences without a full stop."""

    position_m: Array
    yaw_rad: float
    size_m: tuple[float, float, float]
    confidence: float
    doubts: tuple[str, ...] = ()

    @classmethod
    def of(cls, estimate: BlockEstimate) -> Self:
        """What an estimate says, whatever frame it is in."""
        position = estimate.T_base_frame @ (estimate.x_m, estimate.y_m, estimate.z_m, 1.0)
        doubts = (*estimate.doubts, *(one.doubt for one in estimate.evidence if one.doubt))
        return cls(position[:3], estimate.in_base()[2], estimate.size_m, estimate.confidence, doubts)


class Moved(Protocol):
    """What a motion of the clamp came to."""

    @property
    def holding(self) -> bool:
        """Whether both fingers press on something."""
        ...

    @property
    def message(self) -> str:
        """What there is to say, perhaps nothing."""
        ...


class Hands(Protocol):
    """What carries the procedure out. Each raises BlockworldError where the procedure cannot go on."""

    def begin(self, step: str, message: str) -> None:
        """Told before each step."""
        ...

    async def home(self) -> None:
        """Move the arm out of the cameras' way."""
        ...

    async def move(self, position_m: Array, yaw_rad: float, opening_m: float) -> Moved:
        """Bring the clamp, pointing down, to a position (3,) and yaw in base."""
        ...

    async def look(self, stage: str, clamp_yaws_rad: Sequence[float]) -> Found:
        """Localize the block, with the clamp turned to each of the yaws where it is, or as it is without any."""
        ...


async def pick(hands: Hands, p: PickParameters) -> None:
    """Pick the block up. Raises BlockworldError where that fails: that of the hands, or one that names the step."""
    hands.begin("home", "moving out of the cameras' way")
    await hands.home()

    hands.begin("coarse", "localizing the block from the overviews")
    block = _believed("coarse", await hands.look("coarse", []), p)

    yaws = (p.clamp_yaw_rad, wrap_turn(p.clamp_yaw_rad + np.pi / 2))
    below, block = block, await _close_up(hands, block, yaws, p)
    if _is_aside(block, below, p):
        block = await _close_up(hands, block, yaws, p)
    block = _believed("fine", block, p)
    yaw = closing_yaw(block.yaw_rad, yaws[-1])
    height = max(p.grasp_m, block.size_m[2] / 2)

    hands.begin("approach", "turning the clamp across the block's short side")
    await hands.move(_above(block, p.hover_m), yaw, p.opening_m)
    hands.begin("descend", "lowering the open clamp over the block")
    await hands.move(_above(block, height), yaw, p.opening_m)
    hands.begin("close", "closing the clamp")
    await hands.move(_above(block, height), yaw, 0.0)
    hands.begin("lift", "lifting")
    moved = await hands.move(_above(block, height + p.lift_m), yaw, 0.0)
    if not moved.holding:
        reason = moved.message or "the fingers closed on nothing, or the block slipped out."
        raise BlockworldError(f"lift: the block is not held: {reason}")


async def _close_up(hands: Hands, block: Found, yaws_rad: Sequence[float], p: PickParameters) -> Found:
    hands.begin("hover", "moving over the block")
    await hands.move(_above(block, p.hover_m), yaws_rad[0], p.opening_m)
    hands.begin("fine", "localizing the block from close-ups at two clamp orientations")
    return await hands.look("fine", list(yaws_rad))


def _is_aside(block: Found, below: Found, p: PickParameters) -> bool:
    """Whether the clamp hovered too far from the block for a good close-up, but near enough to see where it is."""
    aside_m = float(np.hypot(*(block.position_m - below.position_m)[:2]))
    return aside_m > p.aside_m and block.confidence >= OUT_OF_RANGE * p.least_confidence


def _above(block: Found, height_m: float) -> Array:
    return block.position_m + np.array((0.0, 0.0, height_m))


def _believed(step: str, block: Found, p: PickParameters) -> Found:
    try:
        check_confidence(block.confidence, p.least_confidence, block.doubts)
    except BlockworldError as error:
        raise BlockworldError(f"{step}: {error}") from error
    return block
