"""Whether a block that was localized is worth a try, and where the clamp goes to take it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perception.errors import LocalizationError


def check_confidence(confidence: float, least: float, doubts: Sequence[str]) -> None:
    """Raises LocalizationError, with the doubts, for an estimate that is not sure enough to move the clamp by."""
    if not confidence >= least:
        reasons = f": {'; '.join(doubts)}" if doubts else ""
        raise LocalizationError(
            f"where the block is said to be has a confidence of {confidence:.2f}, less than the least of {least:.2f}"
            f"{reasons}."
        )


def closing_yaw(block_yaw_rad: float, clamp_yaw_rad: float) -> float:
    """Clamp yaw in base, in (-pi, pi], at which it closes across the block's short side.

    Of the two such yaws, half a turn apart, the one that is nearer to where the clamp is turned now.
    """
    turn = (block_yaw_rad + np.pi / 2 - clamp_yaw_rad + np.pi / 2) % np.pi - np.pi / 2
    return wrap_turn(clamp_yaw_rad + turn)


def wrap_turn(yaw_rad: float) -> float:
    """The same direction in (-pi, pi]."""
    return float(np.pi - (np.pi - yaw_rad) % (2 * np.pi))
