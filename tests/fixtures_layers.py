"""A small network for layers, not trained, as a real bundle."""

from pathlib import Path

import cv2
import numpy as np
import torch

from perception.layers.bundle import LayersBundle
from training.layers.config import LayersConfig, PicturesConfig
from training.layers.export import write_bundle
from training.layers.model import LayersModel


def pictures_in(folder: Path, count: int = 24) -> Path:
    """A folder of pictures: discs of any colour, on nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        picture = np.zeros((40, 40, 4), np.uint8)
        colour = (*(int(one) for one in rng.integers(60, 256, 3)), 255)
        cv2.circle(picture, tuple(int(one) for one in rng.integers(12, 28, 2)), int(rng.integers(6, 14)), colour, -1)
        cv2.imwrite(str(folder / f"disc{number}.png"), picture)
    return folder


def small_config(folder: Path, out: Path, **changes) -> LayersConfig:
    """A configuration that trains in a second."""
    values = {
        "data": PicturesConfig(source=pictures_in(folder), size_px=32),
        "layers": 3,
        "parameters": 6,
        "hidden": 32,
        "seen_px": 32,
        "canvas_px": 16,
        "stride": 2,
        "encoder": (8, 8, 16, 16),
        "out": out,
        "pictures": 32,
        "batch": 8,
        "bfloat16": False,
    }
    return LayersConfig(**(values | changes))


def small_bundle(folder: Path, **changes) -> LayersBundle:
    """Its bundle, of weights that are random."""
    torch.manual_seed(0)
    config = small_config(folder / "pictures", folder / "runs", **changes)
    return write_bundle(LayersModel(config).eval(), config, folder / "layers_small", "not trained")
