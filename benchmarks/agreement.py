"""How far the renderers agree: masks, places and depths of the same scenes, over all presets, robots and tasks.

Whole images of "coarse" scenes and crops of "fine" ones are drawn through the pinhole by `gl` and by each other
renderer that runs here. Every object over 50 px counts; depth counts wherever no silhouette is.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from _report import arguments, check, finish

from sim.dataset import DatasetConfig
from sim.dataset.studio import shots_of
from sim.randomization import PRESETS, preset, sample_scene
from sim.renderers import Renderer, Shot, open_renderer
from sim.renderers.agreement import Agreement, agreement
from sim.renderers.cycles_process import BlenderError
from sim.robots import known_descriptions, load_robot
from sim.scene import Scene

SEED = 52_001
SCENES = {"tiny": 8, "cycles": 2}  # per preset and task with the Panda; one each with the other robots
QUICK_SCENES = {"tiny": 1, "cycles": 0}
SIZE = 320


def cases(scenes: int, quick: bool) -> Iterator[tuple[str, Scene, list[Shot]]]:
    """Preset, scene and shots."""
    for name in PRESETS:
        for robot in known_descriptions():
            description = load_robot(robot)
            for task in ("coarse", "fine"):
                config = DatasetConfig(task=task, seed=SEED, scenes=scenes, views=1, width=SIZE, height=SIZE)
                for index in range(scenes if robot == "panda" else int(not quick)):
                    scene = sample_scene(task, SEED, index, 1, preset(name), description)
                    yield name, scene, shots_of(scene, config, description)


def compare(one: Renderer, other: Renderer, scenes: int, quick: bool) -> Iterator[dict[str, Any]]:
    """A row per preset, and one of all."""
    found: dict[str, list[Agreement]] = {}
    for name, scene, shots in cases(scenes, quick):
        frames = [renderer.render(scene, shots) for renderer in (one, other)]
        found.setdefault(name, []).extend(agreement(*pair) for pair in zip(*frames, strict=True))
    for name, seen in (*found.items(), ("all", [each for several in found.values() for each in several])):
        depth_mm = 1e3 * np.array([np.percentile(each.depth_m, 99) for each in seen if len(each.depth_m)])
        yield {
            "renderers": f"{one.name}, {other.name}",
            "preset": name,
            "images": len(seen),
            "masks": sum(len(each.labels) for each in seen),
            "smallest_overlap": float(min(each.overlaps.min(initial=1.0) for each in seen)),
            "largest_shift_px": float(max(each.shifts_px.max(initial=0.0) for each in seen)),
            "largest_99th_percentile_of_depth_mm": float(depth_mm.max()),
        }


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    rows, checks = [], []
    one = open_renderer("gl")
    if one.name != "gl":
        raise SystemExit("the renderer gl does not run here, and there is nothing to compare.")
    for name, scenes in (QUICK_SCENES if options.quick else SCENES).items():
        if not scenes:
            continue
        try:
            other = open_renderer(name)
        except BlenderError as error:
            rows.append({"renderers": f"gl, {name}", "note": str(error)})
            continue
        found = list(compare(one, other, scenes, options.quick))
        other.close()
        rows += found
        total = found[-1]
        for figure, op, target in (
            ("smallest_overlap", ">=", 0.98),
            ("largest_shift_px", "<=", 0.5),
            ("largest_99th_percentile_of_depth_mm", "<=", 2.0),
        ):
            checks.append(check(f"gl against {name}: {figure}", total[figure], op, target))
    one.close()
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
