"""How far off the block is found in scenes that no training image came from, stage by stage and by number of cameras.

The scenes are drawn by the training renderer but from another series of seeds. Coarse: one image per camera, the
robot anywhere. Fine: each camera at two clamp orientations 90 degrees apart, hovering as after a coarse estimate.
The peer of each row with several cameras is the row with one: what fusing views is worth, in the same run.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from _report import arguments, check, finish

from perception import angles
from perception.errors import LocalizationError
from perception.localize import Localizer, View
from perception.robot import Robot
from sim.inverse_kinematics import hover_pose, solve
from sim.random_streams import stream
from sim.randomization import sample_scene
from sim.renderers import Renderer, Shot, open_renderer
from sim.robots import load_robot
from sim.scene import Scene

SEED = 40_001
CASES, QUICK_CASES = 24, 5
CAMERAS = (1, 2, 3)
HOVER_M = 0.12
COARSE_ERROR_M = 0.012  # standard deviation per axis of where the clamp hovers


def coarse_views(seed: int, index: int, renderer: Renderer) -> tuple[Scene, list[View]]:
    """A scene and what its three cameras see of it."""
    scene = sample_scene("coarse", seed, index)
    return scene, photograph(scene, renderer)


def fine_views(seed: int, index: int, renderer: Renderer, robot: Robot) -> tuple[Scene, list[View]]:
    """A scene and what its three cameras see at two clamp orientations, orientation by orientation."""
    scene = sample_scene("coarse", seed, index)
    rng = stream(seed, index, "hover")
    place = np.array([scene.block.x_m, scene.block.y_m]) + rng.normal(0, COARSE_ERROR_M, 2)
    yaw = rng.uniform(-np.pi / 4, np.pi / 4)
    start = load_robot(scene.robot).home.copy()
    start[0] = np.arctan2(place[1], place[0])
    views = []
    for turn in (yaw, yaw + np.pi / 2):
        joints = solve(robot, hover_pose((*place, HOVER_M), turn), start, iterations=200)
        if joints is None:
            return fine_views(seed, index + 1_000_000, renderer, robot)
        views += photograph(replace(scene, joints=joints), renderer)
    return scene, views


def photograph(scene: Scene, renderer: Renderer) -> list[View]:
    """One view per camera of the scene."""
    frames = renderer.render(scene, [Shot.whole(camera) for camera in scene.cameras])
    return [View(f"camera_{i + 1}", frame.rgb, scene.joints) for i, frame in enumerate(frames)]


def errors(
    localizer: Localizer, stage: str, cases: Iterator[tuple[Scene, list[View]]]
) -> dict[int, list[tuple]]:
    """Per number of cameras: (position error m, yaw error rad, seconds) of every case; infinite if none was found."""
    found: dict[int, list[tuple]] = {count: [] for count in CAMERAS}
    for scene, views in cases:
        for count in CAMERAS:
            used = [view for view in views if int(view.camera[-1]) <= count]
            begin = time.perf_counter()
            try:
                x, y, yaw = getattr(localizer, stage)(used).in_base()
            except LocalizationError:
                found[count].append((np.inf, np.pi / 2, time.perf_counter() - begin))
                continue
            seconds = time.perf_counter() - begin
            turn = abs(float(angles.difference(yaw, scene.block.yaw_rad, np.pi)))
            found[count].append((float(np.hypot(x - scene.block.x_m, y - scene.block.y_m)), turn, seconds))
    return found


def summary(stage: str, cameras: int, rows: list[tuple]) -> dict[str, str | float]:
    """One line of the table."""
    distance, turn, seconds = np.array(rows).T
    return {
        "stage": stage,
        "cameras": cameras,
        "median_mm": float(np.median(distance) * 1e3),
        "p90_mm": float(np.percentile(distance, 90) * 1e3),
        "yaw_median_deg": float(np.degrees(np.median(turn))),
        "yaw_p90_deg": float(np.degrees(np.percentile(turn, 90))),
        "within_5mm_and_2deg": float(np.mean((distance < 0.005) & (turn < np.radians(2)))),
        "ms": float(np.median(seconds) * 1e3),
    }


def main() -> None:
    """Run both stages and print the table."""
    options = arguments(__doc__ or "")
    cases = QUICK_CASES if options.quick else CASES
    renderer, robot, localizer = open_renderer("tiny"), Robot.load("panda"), Localizer.open()
    coarse = errors(localizer, "coarse", (coarse_views(SEED, i, renderer) for i in range(cases)))
    fine = errors(localizer, "fine", (fine_views(SEED, i, renderer, robot) for i in range(cases)))
    rows = [
        {**summary(stage, count, found[count]), "engine": localizer.engine_name, "cases": cases}
        for stage, found in (("coarse", coarse), ("fine", fine))
        for count in CAMERAS
    ]
    medians = {(row["stage"], row["cameras"]): row["median_mm"] for row in rows}
    checks = [
        check(
            "coarse error with 3 cameras lands the block in the fine window (p90, mm)",
            rows[2]["p90_mm"],
            "<=",
            50.0,
        ),
        check("fine median error with 3 cameras (mm)", medians["fine", 3], "<=", 5.0),
        check(
            "fine: 3 cameras against 1 (ratio of medians)", medians["fine", 3] / medians["fine", 1], "<=", 1.0
        ),
    ]
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
