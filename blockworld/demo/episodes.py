"""What the demo's episodes came to: errors against the simulator's truth, and their summary."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from perception.angles import difference


@dataclass(frozen=True)
class Episode:
    """One pick. Errors are None for a stage that gave no estimate.

    coarse_error_m, fine_error_m: horizontal distance from the truth of that moment, in the base frame.
    yaw_error_rad: of the last estimate there is, modulo pi, 0 to pi / 2. pictures: kind ("coarse", "fine",
    "final") to camera to file name. duration_s: of the pick itself.
    """

    index: int
    success: bool
    message: str
    duration_s: float
    coarse_error_m: float | None = None
    fine_error_m: float | None = None
    yaw_error_rad: float | None = None
    last_step: str | None = None
    engine: str | None = None
    coarse: dict[str, Any] | None = None
    fine: dict[str, Any] | None = None
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Self:
        """The episode that a line of `perception.nodes.episode_runner` tells of."""
        coarse, fine = event["coarse"], event["fine"]
        last = fine or coarse
        return cls(
            index=event["index"],
            success=event["success"],
            message=event["message"],
            duration_s=event["duration_s"],
            coarse_error_m=_distance(coarse),
            fine_error_m=_distance(fine),
            yaw_error_rad=_yaw_error(last),
            last_step=event["last_step"],
            engine=last["engine"] if last else None,
            coarse=coarse,
            fine=fine,
            pictures=event["pictures"],
        )


@dataclass(frozen=True)
class Summary:
    """All episodes of one run. Means and medians are over the episodes that have the error."""

    seed: int
    engine: str | None
    success_rate: float | None
    successes: int
    episode_count: int
    mean_coarse_error_m: float | None
    median_coarse_error_m: float | None
    mean_fine_error_m: float | None
    median_fine_error_m: float | None
    mean_yaw_error_rad: float | None
    median_yaw_error_rad: float | None
    wall_s: float
    episodes: tuple[Episode, ...]

    @classmethod
    def of(cls, episodes: Sequence[Episode], seed: int, wall_s: float) -> Self:
        """The summary of the episodes of a series; wall_s: seconds from the demo's start to its end."""
        successes = sum(episode.success for episode in episodes)
        averages = {
            f"{name}_{error}": average([getattr(episode, error) for episode in episodes])
            for error in ("coarse_error_m", "fine_error_m", "yaw_error_rad")
            for name, average in (("mean", _mean), ("median", _median))
        }
        engines = dict.fromkeys(episode.engine for episode in episodes if episode.engine)
        return cls(
            seed=seed,
            engine=", ".join(engines) or None,
            success_rate=successes / len(episodes) if episodes else None,
            successes=successes,
            episode_count=len(episodes),
            wall_s=wall_s,
            episodes=tuple(episodes),
            **averages,
        )

    def write(self, path: Path) -> None:
        """Write it as JSON; NaN never occurs in it."""
        path.write_text(json.dumps(asdict(self), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _distance(estimate: dict[str, Any] | None) -> float | None:
    if estimate is None:
        return None
    truth = estimate["truth"]
    return math.hypot(estimate["x_m"] - truth["x_m"], estimate["y_m"] - truth["y_m"])


def _yaw_error(estimate: dict[str, Any] | None) -> float | None:
    if estimate is None:
        return None
    return abs(float(difference(estimate["yaw_rad"], estimate["truth"]["yaw_rad"], math.pi)))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
