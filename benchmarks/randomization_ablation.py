"""What each kind of randomization is worth: the same short training of the fine network with one kind left out.

In the manner of Tobin et al., "Domain randomization for transferring deep neural networks from simulation to the real
world" (IROS 2017), table I. The peer of every row is the training with all of them in the same run. What is measured
are close-ups of the photoreal sets, of a renderer that no network was trained on: how far off the points of gripper and
block are.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _report import arguments, check, finish

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.photoreal.records import Picture, Pose, read_set
from perception import crop
from sim.dataset import DatasetConfig, build
from sim.keypoints import Channel, channels, placed
from sim.optics import to_image
from sim.robots import RobotDescription, load_robot
from training.localization.config import LocalizationConfig
from training.localization.data import Samples
from training.localization.objectives import HeatmapObjective, objective_of
from training.localization.train import train
from training.localization.weights import load_weights

SETS = ("lab", "field", "adv")
SCENES, QUICK_SCENES = 1500, 8
SAMPLES, QUICK_SAMPLES = 9_600, 64
POSES, QUICK_POSES = 60, 2
SIZE = 128
EVERYTHING = "everything varies"
_PLAIN = {"textured_share": 0}
LEFT_OUT: dict[str, dict[str, Any]] = {
    EVERYTHING: {},
    "camera": {
        "camera": {
            "azimuth_deg": [20, 20],
            "elevation_deg": [35, 35],
            "roll_deg": [0, 0],
            "framing_spans": [1.2, 1.2],
            "target_spread_m": 0,
        }
    },
    "focal length and lens": {
        "camera": {"focal_widths": [1.1, 1.1]},
        "lens": {"shift_px": [0, 0], "k1": [0, 0], "k2": [0, 0]},
    },
    "light": {
        "light": {
            "count": [1, 1],
            "kinds": {"directional": 1},
            "azimuth_deg": [30, 30],
            "elevation_deg": [60, 60],
            "key_brightness": [0.6, 0.6],
            "warmth": [0, 0],
            "coloured_share": 0,
            "sun_radius_deg": [2, 2],
            "shadow_share": 1,
            "ambient": [0.4, 0.4],
            "sky_warmth": [0, 0],
            "ground_brightness": [0.8, 0.8],
        }
    },
    "textures": {
        "robot": {"wear_share": 0, "repaint_share": 0, "tint": 0, "brightness": [1, 1], "patchwork_share": 0},
        "block": {"look": _PLAIN},
        "distractors": {"look": _PLAIN},
        "room": {"look": _PLAIN, "support_look": _PLAIN, "backdrop_share": 0},
    },
    "distractors": {"distractors": {"count": [0, 0]}, "room": {"furniture": [0, 0]}},
    "post-processing": {
        "sensor": {
            "vignetting": [0, 0],
            "motion_share": 0,
            "blur_px": [0, 0],
            "exposure_ev": [0, 0],
            "white_balance": [1, 1],
            "shot_noise": [0, 0],
            "read_noise": [0, 0],
            "jpeg_share": 0,
        }
    },
}


def close_ups(poses: Sequence[Pose], description: RobotDescription, wanted: Sequence[Channel]) -> Samples:
    """The close-ups of some poses as the fine network sees them, and where its points are."""
    images, points = [], []
    for pose in poses:
        for picture in (*pose.of("fine0"), *pose.of("fine90")):
            clamp = picture.T_base_clamp
            window = crop.window(picture.view.camera, clamp, _seen(picture, clamp[:3, 3]))
            links = description.robot.link_poses(picture.joints)
            links["block"] = pose.T_base_block @ np.diag([*pose.size_m, 1.0])
            images.append(crop.cut(picture.rgb(), window.upright(SIZE)))
            points.append(window.from_image(_seen(picture, placed(tuple(wanted), links)), SIZE))
    places = torch.from_numpy(np.array(points, dtype=np.float32))
    return Samples(torch.from_numpy(np.array(images)), places, torch.zeros(len(places), 3))


def _seen(picture: Picture, points_m: np.ndarray) -> np.ndarray:
    return to_image(picture.view, picture.view.camera.project(points_m)[0])


def _data_set(folder: Path, scenes: int, changes: dict[str, Any]) -> Path:
    """A data set of close-ups by the preset train with some ranges changed."""
    data = DatasetConfig(
        task="fine", seed=71, scenes=scenes, views=3, width=SIZE, height=SIZE, randomization=changes
    )
    for _ in build(data, folder, workers=1):
        pass
    return folder


def row_of(name: str, config: LocalizationConfig, pictures: dict[str, Samples]) -> dict[str, Any]:
    """Train, and measure on every set."""
    train(config, progress=False)
    objective = objective_of(config)
    assert isinstance(objective, HeatmapObjective)
    load_weights(config.out / "weights.pt", objective.network)
    row: dict[str, Any] = {"left_out": name, "samples": config.samples}
    for named, samples in pictures.items():
        metrics = objective.evaluate(samples)
        for kind in ("robot", "block"):
            own = [channel.name for channel in objective.channels if channel.kind == kind]
            row[f"{named}_{kind}_px"] = float(np.mean([metrics[f"{one}_median_px"] for one in own]))
            row[f"{named}_{kind}_missed"] = float(np.mean([metrics[f"{one}_missed"] for one in own]))
    return row


def main() -> None:
    """Build, train and measure every variant, and print the table."""
    options = arguments(__doc__ or "")
    description = load_robot("panda")
    wanted = channels("fine", description)
    count = QUICK_POSES if options.quick else POSES
    pictures = {name: close_ups(list(read_set(name))[:count], description, wanted) for name in SETS}
    rows = []
    for name, changes in LEFT_OUT.items():
        with tempfile.TemporaryDirectory() as folder:
            config = LocalizationConfig(
                task="fine",
                data=(_data_set(Path(folder) / "data", QUICK_SCENES if options.quick else SCENES, changes),),
                validation=(_data_set(Path(folder) / "few", QUICK_SCENES, changes),),
                out=Path(folder) / "run",
                samples=QUICK_SAMPLES if options.quick else SAMPLES,
            )
            rows.append(row_of(name, config, pictures))
        print(f"{name}: done", flush=True)
    whole = _error(rows[0])
    ratios = {f"error without {row['left_out']}, ratio to all": _error(row) / whole for row in rows[1:]}
    checks = [check(name, ratio, ">", 1.0) for name, ratio in ratios.items()]
    finish(rows, checks, options.quick)


def _error(row: dict[str, Any]) -> float:
    return float(np.mean([value for name, value in row.items() if name.endswith("_px")]))


if __name__ == "__main__":
    main()
