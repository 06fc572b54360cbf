"""Pairs to features, which are kept, and features to phi."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from perception.errors import BlockworldError
from sim.cache import made_once
from sim.renderers import Renderer
from training.features.networks import Network
from training.features.pairs import Backgrounds, pairs

BATCH = 16
HELD_OUT = 5
"""One model of so many is held out, with all of its pairs."""
REAL, RENDERED = "real.npy", "rendered.npy"


def paired_features(
    network: Network, layer: str, renderer: Renderer, meshes: Sequence[str], backgrounds: Backgrounds, count: int,
    seed: int, size_px: int, progress: Callable[[int], object] = lambda count: None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(N, C, h, w) float32 features of views before backgrounds, and of the same views on white. Raises
    BlockworldError for a layer that has no maps."""
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for first in range(0, count, BATCH):
        indices = range(first, min(first + BATCH, count))
        white, real = pairs(renderer, meshes, backgrounds, seed, indices, size_px)
        for kept, images in zip(found, (real, white), strict=True):
            features = network.features(images, (layer,))[layer]
            if features.ndim != 4:
                raise BlockworldError(f"{network.name}, layer {layer}, has no maps: choose a convolutional layer.")
            kept.append(features)
        progress(len(indices))
    real_features, rendered = (np.concatenate(one) for one in found)
    return real_features, rendered


def kept_features(key: str, make: Callable[[], tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """What `make` gives, from the cache folder after the first time. key: all that it depends on, as a file name."""

    def filled(folder: Path) -> None:
        for name, one in zip((REAL, RENDERED), make(), strict=True):
            np.save(folder / name, one, allow_pickle=False)

    folder = made_once(f"features/{key}", filled)
    real, rendered = (np.load(folder / name, allow_pickle=False) for name in (REAL, RENDERED))
    return real, rendered


def held_out(count: int, models: int) -> np.ndarray:
    """(N,) bool: which pairs are for validation: those of every `HELD_OUT`th model, so that no model is in both."""
    return np.asarray(np.arange(count) % models % HELD_OUT == 0)
