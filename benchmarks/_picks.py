"""Pick episodes of the closed loop as jobs for worker processes, and what came of them as rows."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import binomtest

from perception.localize import Localizer
from perception.methods import open_localizer
from sim.picking import Networks, Pick, Truth, episode, unseen
from sim.robots import load_robot
from sim.world import PybulletWorld

SEED = 5_000  # no data set has this one
TRUE_POSE = "true pose"
ELSEWHERE_M = 0.05  # a fine estimate farther from the block than this is that of something else


@dataclass(frozen=True)
class Job:
    """Some episodes of a condition. sight: a method of localization, or TRUE_POSE."""

    condition: str
    sight: str
    indices: range


@dataclass(frozen=True)
class Done:
    """What came of a job; engine: what ran the networks."""

    job: Job
    picks: tuple[Pick, ...]
    engine: str
    wall_s: float


def jobs_of(condition: str, sight: str, episodes: int, size: int) -> list[Job]:
    """The episodes in jobs of some size."""
    return [Job(condition, sight, range(i, min(i + size, episodes))) for i in range(0, episodes, size)]


def work(job: Job) -> Done:
    """Run the episodes of a job. Each depends on its number alone, so jobs may be cut anyhow."""
    localizer = None if job.sight == TRUE_POSE else _localizer(job.sight)
    robot = load_robot("panda").robot if localizer is None else localizer.robot
    start = time.perf_counter()
    world, picks = PybulletWorld(SEED, job.indices.start, "auto", config=unseen(job.condition)), []
    for index in job.indices:
        if index > job.indices.start:
            world.reset(SEED, index)
        sight = Truth(world) if localizer is None else Networks(localizer)
        picks.append(episode(world, robot, sight))
    world.close()
    return Done(job, tuple(picks), localizer.engine_name if localizer else "", time.perf_counter() - start)


def row_of(done: Sequence[Done]) -> dict[str, Any]:
    """The row of all jobs of one condition and sight."""
    picks = [one for part in done for one in part.picks]
    picked = sum(one.picked for one in picks)
    interval = binomtest(picked, len(picks)).proportion_ci(method="wilson")
    reasons = Counter(one.reason for one in picks if not one.picked)
    return {
        "condition": done[0].job.condition,
        "method": done[0].job.sight,
        "engine": done[0].engine,
        "episodes": len(picks),
        "picked": picked / len(picks),
        "picked_low": float(interval.low),
        "picked_high": float(interval.high),
        "coarse_mm": _median([1e3 * one.coarse.place_m for one in picks if one.coarse]),
        "fine_mm": _median([1e3 * one.fine.place_m for one in picks if one.fine]),
        "fine_deg": _median([np.degrees(one.fine.yaw_rad) for one in picks if one.fine]),
        "elsewhere": sum(one.fine.place_m > ELSEWHERE_M for one in picks if one.fine),
        "s_per_episode": sum(part.wall_s for part in done) / len(picks),
        "failures": "; ".join(f"{reason} ({number})" for reason, number in reasons.most_common()),
    }


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


@lru_cache(maxsize=1)
def _localizer(method: str) -> Localizer:
    return open_localizer(stages=("coarse", "fine"), method=method)
