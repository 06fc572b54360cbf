"""How fast the networks run, by what, and what fewer bits cost in millimetres and degrees.

Time: each network at the batch that an estimate asks for, PyTorch eager against every engine that runs here; they take
turns, round by round. The networks are those of the recipes with random weights, so that both run the very same one,
and what the engines give is compared with what PyTorch gives. Accuracy: estimates from 3 cameras, 2 orientations of the
clamp on the photoreal sets, by each engine, with the shipped bundles. OpenVINO is among them where it is installed.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _report import arguments, check, finish

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.localization import SETS, attempt, view_of
from benchmarks.photoreal.records import read_set
from perception.bundle import Bundle, Heatmaps, default_models_dir
from perception.configuration import read_configuration
from perception.engines import Engine, engines_for, open_engine
from perception.localize import Localizer
from training.core.half_weights import with_half_weights
from training.localization.config import LocalizationConfig
from training.localization.export import to_onnx
from training.localization.fewer_steps import in_fewer_steps
from training.localization.model import DeployedNetwork, HeatmapNetwork
from training.localization.quantize import quantized

CONFIGS = Path(__file__).resolve().parents[1] / "training" / "localization" / "configs"
BATCHES = {"coarse": 3, "tool": 3, "fine": 6, "block": 6}  # images of 3 cameras, close-ups at 2 orientations
ROUNDS, QUICK_ROUNDS = 40, 5
PAUSE_S = 0.02  # before each run: threads of the one before spin on for some ms, and would take a core from it
QUICK_POSES = 3
EAGER, REFERENCE = "PyTorch eager", "onnxruntime-cpu"
LEAST_OF_FLOAT, LEAST_OF_FASTEST = 1.6, 2.5  # times as fast as PyTorch eager
MOST_GROWTH = 0.05
TOLERANCE = 0.02  # of log-probabilities, with weights stored in half precision
SEED = 7


def random_network(task: str, folder: Path) -> tuple[torch.nn.Module, Bundle]:
    """The network of a task with random weights, and a bundle of the same."""
    torch.manual_seed(SEED)
    config = read_configuration(LocalizationConfig, CONFIGS / f"{task}.yaml", ["warm_start=null"])
    manifest = Bundle.load(default_models_dir() / task).manifest
    size, output = manifest.input, manifest.output
    assert isinstance(output, Heatmaps)
    network = HeatmapNetwork(len(output.channels), config.widths, config.depths, config.stem, config.head)
    deployed = DeployedNetwork(network).eval()
    model = to_onnx(deployed, size.width, size.height, output.name)
    files = with_half_weights(in_fewer_steps(model)), in_fewer_steps(quantized(model, pictures(manifest, 32)))
    return deployed, Bundle.write(folder / task, manifest, files[0], "# Random\n", int8_bytes=files[1])


def pictures(manifest: Any, count: int) -> np.ndarray:
    """Noise of the network's size."""
    size = manifest.input
    return np.random.default_rng(SEED).integers(0, 256, (count, size.height, size.width, 3), dtype=np.uint8)


def eager(network: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """PyTorch as it is, with as many threads as it takes."""

    def run(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(images)).numpy())

    return run


def timed(task: str, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """A row per engine: median milliseconds, and times as fast as PyTorch in the same round."""
    network, bundle = random_network(task, folder)
    images = pictures(bundle.manifest, BATCHES[task])
    engines: dict[str, Engine] = {}
    for name, why_not in engines_for(bundle).items():
        if not why_not:
            engine = open_engine(bundle, name)
            engines[engine.name] = engine
    runs = {EAGER: eager(network), **{name: engine.run for name, engine in engines.items()}}
    wanted = runs[EAGER](images)
    off = {name: float(np.abs(run(images) - wanted).max()) for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(PAUSE_S)
            begin = time.perf_counter()
            run(images)
            seconds[name].append(time.perf_counter() - begin)
    peer = np.array(seconds[EAGER])
    return [
        {
            "network": task,
            "images": len(images),
            "engine": name,
            "ms": float(np.median(own) * 1e3),
            "times_eager": float(np.median(peer / np.array(own))),
            "largest_difference": off[name],
        }
        for name, own in seconds.items()
    ]


def accuracy(engine: str, poses: int | None) -> list[dict[str, Any]]:
    """A row per stage, over all sets: mean errors and their medians, and milliseconds of a whole estimate."""
    localizer = Localizer.open(engine=engine)
    found: dict[str, list[np.ndarray]] = {"coarse": [], "fine": []}
    seconds: dict[str, list[float]] = {"coarse": [], "fine": []}
    for name in SETS:
        for pose in islice(read_set(name), poses):
            shown = {"coarse": ("overview",), "fine": ("fine0", "fine90")}
            for stage, postures in shown.items():
                views = [view_of(picture) for posture in postures for picture in pose.of(posture)]
                outcome = attempt(localizer, stage, views, pose)
                found[stage].append(np.abs(outcome.errors))
                seconds[stage].append(outcome.seconds)
    rows = []
    for stage, errors in found.items():
        made = np.array([one for one in errors if np.isfinite(one).all()])
        middle = np.median(made, axis=0)
        rows.append(
            {
                "network": stage,
                "engine": localizer.engine_name,
                "estimates": len(errors),
                "place_mm": float(np.hypot(*made[:, :2].T).mean() * 1e3),
                "place_mm_median": float(np.median(np.hypot(*made[:, :2].T)) * 1e3),
                "yaw_deg": float(np.degrees(made[:, 2].mean())),
                "yaw_deg_median": float(np.degrees(middle[2])),
                "not_found": len(errors) - len(made),
                "ms": float(np.median(seconds[stage]) * 1e3),
            }
        )
    return rows


def checks_of(times: list[dict[str, Any]], errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The figures of single precision, and those of the fastest engine whose errors grow little."""
    checks = []
    for row in times:
        if row["engine"] == REFERENCE:
            checks.append(check(f"{row['network']}: fp32 against eager", row["times_eager"], ">=", LEAST_OF_FLOAT))
            checks.append(check(f"{row['network']}: fp32 differs by", row["largest_difference"], "<=", TOLERANCE))
    growths = {engine: growth_of(engine, errors) for engine in {row["engine"]: None for row in errors}}
    speeds = {engine: [row["times_eager"] for row in times if row["engine"] == engine] for engine in growths}
    sound = [engine for engine, growth in growths.items() if max(growth.values()) < MOST_GROWTH]
    fastest = max(sound, key=lambda engine: min(speeds[engine]))
    for name, growth in growths[fastest].items():
        checks.append(check(f"{name} of {fastest} grows by", growth, "<", MOST_GROWTH))
    for network, speed in zip(BATCHES, speeds[fastest], strict=True):
        checks.append(check(f"{network}: {fastest} against eager", speed, ">=", LEAST_OF_FASTEST))
    return checks


def growth_of(engine: str, errors: list[dict[str, Any]]) -> dict[str, float]:
    """By how much each error of an engine is larger than in single precision."""
    by = {(row["network"], row["engine"]): row for row in errors}
    return {
        f"{stage}: {quantity}": by[stage, engine][quantity] / by[stage, REFERENCE][quantity] - 1
        for stage in ("coarse", "fine")
        for quantity in ("place_mm", "place_mm_median", "yaw_deg", "yaw_deg_median")
    }


def main() -> None:
    """Time and judge every engine that runs here, and print the tables."""
    quick = arguments(__doc__ or "").quick
    times: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for task in BATCHES:
            times += timed(task, Path(folder), QUICK_ROUNDS if quick else ROUNDS)
            print(f"{task}: timed", flush=True)
    errors: list[dict[str, Any]] = []
    for engine in {row["engine"]: None for row in times if row["engine"] != EAGER}:
        errors += accuracy(engine, QUICK_POSES if quick else None)
        print(f"{engine}: judged", flush=True)
    finish([*times, *errors], checks_of(times, errors), quick)


if __name__ == "__main__":
    main()
