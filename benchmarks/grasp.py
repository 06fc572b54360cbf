"""Picking: the closed loop under each condition, and grasp trials of every ready robot.

Closed loop: pick episodes through the full procedure, from pictures whose textures, objects and grounds no network was
trained on, with lights and block sizes drawn anew. The peer is the same procedure with the true pose in place of the
estimates, on the first of the same episodes: what robot and physics alone allow.

Grasp trials: exact grasps in sampled scenes, and grasps that miss and must never succeed. The peers of a robot are the
others, and the same robot with grasps that miss: 60 mm across the closing direction, or 60 mm beyond the block's end.
"""

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from _picks import TRUE_POSE, Done, jobs_of, row_of, work
from _report import arguments, check, finish

from perception.methods import DEFAULT
from sim.grasp_trial import GraspTrial
from sim.grasp_tries import scene_of, tries
from sim.grasps import grasp_of
from sim.randomization import preset

PICKED = {"lab": 0.97, "field": 0.95, "adv": 0.85}
EPISODES, QUICK_EPISODES = 100, 3
TRUE_EPISODES, QUICK_TRUE_EPISODES = 40, 2
JOB, QUICK_JOB = 10, 3
ROBOTS = ("panda", "iiwa_wsg50", "xarm6")
EXACT, QUICK_EXACT = 60, 3
MISSED, QUICK_MISSED = 20, 2
SEED = 40
MISS_M = 0.06
LEAST_SUCCESS = 0.95


def exact(robot: str, count: int) -> dict:
    """Success of exact grasps, and how long a trial takes, the sampling of its scene included."""
    trial = GraspTrial(robot)
    start = time.perf_counter()
    done = [one.result for one in tries(trial, preset("lab"), SEED, count)]
    wall_s = time.perf_counter() - start
    reasons = Counter(result.reason for result in done if not result.success)
    return {
        "robot": robot,
        "grasps": "exact",
        "trials": count,
        "success": sum(result.success for result in done) / count,
        "trials_per_s": count / wall_s,
        "largest_slip_mm": 1000 * max(result.slip_m for result in done if result.success),
        "failures": "; ".join(f"{reason} ({number})" for reason, number in reasons.items()),
    }


def missed(robot: str, count: int) -> dict:
    """Success of grasps that miss the block, in turn across the fingers' way and beyond the block's end."""
    trial, successes = GraspTrial(robot), 0
    for index in range(count):
        scene = scene_of(trial.description, preset("lab"), SEED + 1, index)
        grasp = grasp_of(scene.block, trial.description)
        side = 1 if index % 4 < 2 else -1
        across, along = MISS_M, MISS_M + scene.block.size_m[0] / 2
        offset = across * grasp.T_base_clamp[:3, 0] if index % 2 == 0 else along * grasp.T_base_clamp[:3, 1]
        off = grasp.disturbed(side * np.asarray(offset))
        successes += trial.run(scene.block, off, scene.bodies, index).success
    return {"robot": robot, "grasps": "60 mm off", "trials": count, "success": successes / count}


def closed_loop(pool: ProcessPoolExecutor, quick: bool) -> list[dict]:
    """How many blocks are picked, by condition, with networks and with the true pose."""
    counts = {DEFAULT: QUICK_EPISODES, TRUE_POSE: QUICK_TRUE_EPISODES}
    if not quick:
        counts = {DEFAULT: EPISODES, TRUE_POSE: TRUE_EPISODES}
    size = QUICK_JOB if quick else JOB
    jobs = [job for sight, count in counts.items() for name in PICKED for job in jobs_of(name, sight, count, size)]
    done = list(pool.map(work, jobs))
    found: dict[tuple[str, str], list[Done]] = {}
    for one in done:
        found.setdefault((one.job.sight, one.job.condition), []).append(one)
    return [row_of(parts) for parts in found.values()]


def main() -> None:
    """Pick, and try all robots, in as many processes as there are cores; print how it went."""
    options = arguments(__doc__ or "")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        picks = closed_loop(pool, options.quick)
        counts = (QUICK_EXACT, QUICK_MISSED) if options.quick else (EXACT, MISSED)
        trials = [*pool.map(exact, ROBOTS, [counts[0]] * len(ROBOTS))]
        trials += pool.map(missed, ROBOTS, [counts[1]] * len(ROBOTS))
    checks = [
        check(f"picked in closed loop, {row['condition']}", row["picked"], ">=", PICKED[row["condition"]])
        for row in picks
        if row["method"] == DEFAULT
    ]
    for row in trials:
        if row["grasps"] == "exact":
            checks.append(check(f"success of exact grasps, {row['robot']}", row["success"], ">=", LEAST_SUCCESS))
        else:
            checks.append(check(f"success of grasps 60 mm off, {row['robot']}", row["success"], "==", 0.0))
    finish([*picks, *trials], checks, options.quick)


if __name__ == "__main__":
    main()
