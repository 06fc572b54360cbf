"""Where the clamp goes to take a block that was localized."""

from __future__ import annotations

import numpy as np


def closing_yaw(block_yaw_rad: float, clamp_yaw_rad: float) -> float:
    """Clamp yaw in base, in (-pi, pi], at which it closes across the block's short side.

    Of the two such yaws, half a turn apart, the one that is nearer to where the clamp is turned now.
    """
    turn = (block_yaw_rad + np.pi / 2 - clamp_yaw_rad + np.pi / 2) % np.pi - np.pi / 2
    return wrap_turn(clamp_yaw_rad + turn)


def wrap_turn(yaw_rad: float) -> float:
    """The same direction in (-pi, pi]."""
    return float(np.pi - (np.pi - yaw_rad) % (2 * np.pi))
