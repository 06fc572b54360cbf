"""The contract between the `sim_world` node and any simulated world that it can show.

A world is a robot over a block with a few cameras around them. The node knows it only through the protocol
`World`; implementations are found by entry point (group `perception.worlds`) or by "module:Class", see
`load_world`. The base frame is the robot's, with the support plane at z = 0. The clamp frame has its origin
between the finger tips, x along the closing direction, z out of the hand; its yaw is that of its x axis.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np

from perception.errors import BlockworldError

ENTRY_POINT_GROUP = "perception.worlds"


@dataclass(frozen=True)
class MoveResult:
    """Where the clamp ended up after a motion: position (3,) in metres in base, yaw in radians in base."""

    reached: bool
    position_m: np.ndarray
    yaw_rad: float
    opening_m: float
    holding: bool
    message: str


@dataclass(frozen=True)
class BlockTruth:
    """Where the block really is: centre of its bottom face in base, yaw of its long side, size (3,)."""

    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    size_m: np.ndarray
    lifted: bool


@runtime_checkable
class World(Protocol):
    """A simulated robot, block and cameras. Not thread safe: one thread at a time calls it."""

    base_frame: str
    """Name of the frame of the robot's base, as panda_link0."""
    joint_names: tuple[str, ...]
    camera_names: tuple[str, ...]

    @property
    def state_id(self) -> int:
        """A number that changes whenever anything that a camera sees has changed."""
        ...

    def reset(self, seed: int, index: int) -> None:
        """Place a new block and new cameras, with new textures, and the robot at a random start pose."""
        ...

    def joint_positions(self) -> np.ndarray:
        """Joint values (J,) float64 in the order of `joint_names`: radians, metres for those that slide."""
        ...

    def image(self, camera: str) -> np.ndarray:
        """The picture of one camera (H, W, 3) uint8 RGB, rendered now."""
        ...

    def move_clamp(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> MoveResult:
        """Bring the clamp, pointing down, to a position (3,) and yaw in base; return once there or stuck."""
        ...

    def home(self) -> MoveResult:
        """Move the arm out of the cameras' way."""
        ...

    def block_truth(self) -> BlockTruth:
        """Where the block is now."""
        ...

    def close(self) -> None:
        """Free what the world holds; it is not used afterwards."""
        ...


def load_world(name: str) -> Callable[..., World]:
    """The factory of a world: an entry point name of the group `perception.worlds`, or "module:Class".

    It may take `robot`, a name or the folder of a description.

    Raises BlockworldError, naming the worlds that are registered, if there is no such world.
    """
    registered = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    try:
        if name in registered:
            return registered[name].load()
        module, separator, attribute = name.partition(":")
        if separator:
            return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BlockworldError(
            f"the simulated world '{name}' does not load ({error}); install what it needs, "
            "for the built-in one: pip install -e '.[sim]'."
        ) from error
    known = ", ".join(sorted(registered)) or "none"
    raise BlockworldError(
        f"there is no simulated world '{name}' (registered: {known}); give one of these or 'module:Class'."
    )
