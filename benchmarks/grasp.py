"""Grasp trials of every ready robot: exact grasps in sampled scenes, and grasps that miss and must never succeed.

The peers of a robot are the others, and the same robot with grasps that miss: 60 mm across the closing direction, or
60 mm beyond the block's end.
"""

import time
from collections import Counter

import numpy as np
from _report import arguments, check, finish

from sim.grasp_trial import GraspTrial
from sim.grasp_tries import scene_of, tries
from sim.grasps import grasp_of
from sim.randomization import preset

ROBOTS = ("panda", "iiwa_wsg50", "xarm6")
EXACT, QUICK_EXACT = 60, 5
MISSED, QUICK_MISSED = 20, 4
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


def main() -> None:
    """Try all robots, and print how they did."""
    options = arguments(__doc__ or "")
    rows = [exact(robot, QUICK_EXACT if options.quick else EXACT) for robot in ROBOTS]
    rows += [missed(robot, QUICK_MISSED if options.quick else MISSED) for robot in ROBOTS]
    checks = []
    for row in rows:
        if row["grasps"] == "exact":
            checks.append(check(f"success of exact grasps, {row['robot']}", row["success"], ">=", LEAST_SUCCESS))
        else:
            checks.append(check(f"success of grasps 60 mm off, {row['robot']}", row["success"], "==", 0.0))
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
