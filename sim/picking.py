"""The pick procedure (`perception.picking`) in a simulated world, without ROS: a picked block, or the reason why not.

`episode` runs it with anything that tells where the block is from pictures, as `perception.localize.Localizer` does.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from perception.angles import difference
from perception.errors import BlockworldError
from perception.estimate import BlockEstimate
from perception.localize import Localizer, View
from perception.node_parameters import PickParameters
from perception.picking import Found, Moved, pick
from perception.robot import Robot
from perception.world import BlockTruth, MoveResult, World
from sim.randomization import RandomizationConfig, changed, preset

CONDITIONS = ("lab", "field", "adv")
UNSEEN_SEED = 12  # that of the first texture, object and ground that no network was trained on

NOT_FOUND, UNSURE, MISSED, SLIPPED = "not localized", "unsure", "missed", "slipped"


class Sight(Protocol):
    """Tells where the block is. Raises BlockworldError where it cannot."""

    def see(self, stage: str, views: Sequence[View]) -> Found:
        """The block, from views of all cameras, of the stage fine at several clamp orientations."""
        ...


@dataclass(frozen=True)
class Networks:
    """The sight of a localizer."""

    localizer: Localizer

    def see(self, stage: str, views: Sequence[View]) -> Found:
        """Its estimate of the stage, coarse or fine."""
        estimate: BlockEstimate = getattr(self.localizer, stage)(views)
        return Found.of(estimate)


@dataclass(frozen=True)
class Truth:
    """A sight that is told where the block of a world is: what the robot and physics alone allow."""

    world: World

    def see(self, stage: str, views: Sequence[View]) -> Found:
        """Where the block is now."""
        return found_of(self.world.block_truth())


@dataclass(frozen=True)
class Error:
    """An estimate against the truth of its time: distance in the plane and upwards, turn of the long side."""

    place_m: float
    height_m: float
    yaw_rad: float
    confidence: float


@dataclass(frozen=True)
class Pick:
    """How an episode went. reason: why the block was not picked, empty where it was: "coarse" or "fine" and "not
    localized" or "unsure"; "STEP not reached", of home, hover, fine, approach, descend, close, lift; "missed": the
    fingers closed on nothing or on another thing; "slipped": they held the block first. message: the same in full."""

    picked: bool
    reason: str
    message: str
    coarse: Error | None
    fine: Error | None


def unseen(condition: str) -> RandomizationConfig:
    """The ranges of a condition, its textures, objects and grounds those that no network was trained on."""
    return changed(preset(condition), {"first_seed": UNSEEN_SEED})


def found_of(truth: BlockTruth) -> Found:
    """The truth as a sight tells it, with certainty."""
    length, width, height = (float(side) for side in truth.size_m)
    return Found(np.array([truth.x_m, truth.y_m, truth.z_m]), truth.yaw_rad, (length, width, height), 1.0)


def episode(world: World, robot: Robot, sight: Sight, parameters: PickParameters | None = None) -> Pick:
    """One run of the procedure in a world that was just reset."""
    hands = _SimulatedHands(world, robot, sight)
    reason = message = ""
    try:
        asyncio.run(pick(hands, parameters or PickParameters()))
        if not world.block_truth().lifted:
            reason, message = SLIPPED, "lift: the fingers hold something, but the block is not lifted."
    except BlockworldError as error:
        reason, message = hands.why(), str(error)
    return Pick(not reason, reason, message, hands.errors.get("coarse"), hands.errors.get("fine"))


class _SimulatedHands:
    """The hands of the procedure in a world, and what is known when it fails."""

    def __init__(self, world: World, robot: Robot, sight: Sight) -> None:
        self._world, self._robot, self._sight = world, robot, sight
        self._step = self._reason = ""
        self._held = False
        self.errors: dict[str, Error] = {}

    def why(self) -> str:
        """The reason for which the procedure has ended early."""
        if self._reason:
            return self._reason
        if self._step == "lift":
            return SLIPPED if self._held else MISSED
        return f"{self._step} {UNSURE}"

    def begin(self, step: str, message: str) -> None:
        self._step = step

    async def home(self) -> None:
        self._checked(self._world.home())

    async def move(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> Moved:
        moved = self._checked(self._world.move_clamp(position_m, yaw_rad, opening_m))
        self._held |= moved.holding
        return moved

    async def look(self, stage: str, clamp_yaws_rad: Sequence[float]) -> Found:
        views = [] if clamp_yaws_rad else self._pictures()
        for yaw in clamp_yaws_rad:
            joints = self._world.joint_positions()
            place, opening = self._robot.clamp_pose(joints)[:3, 3], self._robot.opening_m(joints)
            self._checked(self._world.move_clamp(place, yaw, opening))
            views += self._pictures()
        truth = self._world.block_truth()
        try:
            found = self._sight.see(stage, views)
        except BlockworldError as error:
            self._reason = f"{stage} {NOT_FOUND}"
            raise BlockworldError(f"{self._step}: {error}") from error
        self.errors[stage] = _error(found, truth)
        return found

    def _pictures(self) -> list[View]:
        joints = self._world.joint_positions()
        return [View(camera, self._world.image(camera), joints) for camera in self._world.camera_names]

    def _checked(self, moved: MoveResult) -> MoveResult:
        if not moved.reached:
            self._reason = f"{self._step} not reached"
            raise BlockworldError(f"{self._step}: {moved.message}")
        return moved


def _error(found: Found, truth: BlockTruth) -> Error:
    x, y, z = found.position_m - (truth.x_m, truth.y_m, truth.z_m)
    turn = float(difference(found.yaw_rad, truth.yaw_rad, np.pi))
    return Error(float(np.hypot(x, y)), float(abs(z)), abs(turn), found.confidence)
