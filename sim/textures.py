"""Procedural textures, each a function of its seed alone, for domain randomization (Tobin et al., IROS 2017)."""

from collections.abc import Callable

import cv2
import numpy as np

from sim.random_streams import stream

Pattern = Callable[[np.random.Generator, int], np.ndarray]


def texture(seed: int, size: int = 128) -> np.ndarray:
    """(size, size, 3) uint8 RGB: two random colours mixed by a random pattern, with a little grain."""
    rng = stream(seed, 0, "texture")
    pattern = PATTERNS[rng.integers(len(PATTERNS))](rng, size)
    low, high = rng.uniform(0.25, 1.0, (2, 1, 1, 3))
    mixed = low + (high - low) * pattern[..., None]
    grain = rng.normal(0.0, rng.uniform(0.0, 0.05), (size, size, 1))
    return (np.clip(mixed + grain, 0, 1) * 255).astype(np.uint8)


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Value noise: octaves of smoothly enlarged random grids, scaled to [0, 1]."""
    total = np.zeros((size, size), np.float32)
    for cells in 2 ** np.arange(rng.integers(1, 4), 7):
        grid = rng.random((cells, cells), dtype=np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) / cells ** rng.uniform(
            0.4, 1.0
        )
    return _stretch(total)


def _stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] / size
    angle = rng.uniform(0, np.pi)
    wobble = 0.1 * rng.random() * _noise(rng, size)
    wave = np.sin(2 * np.pi * rng.integers(2, 12) * (x * np.cos(angle) + y * np.sin(angle) + wobble))
    return wave * 0.5 + 0.5 if rng.random() < 0.5 else (wave > 0).astype(float)


def _checker(rng: np.random.Generator, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] * int(rng.integers(2, 10)) // size
    return ((x + y) % 2).astype(float)


def _spots(rng: np.random.Generator, size: int) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(rng.integers(10, 80)):
        centre = rng.integers(0, size, 2).tolist()
        cv2.circle(
            canvas, centre, int(rng.integers(2, size // 8)), int(rng.integers(64, 256)), -1, cv2.LINE_AA
        )
    return canvas / 255.0


def _cells(rng: np.random.Generator, size: int) -> np.ndarray:
    """Distance to the nearest of some random points (Worley, SIGGRAPH 1996): gravel, leather, tiles."""
    seeds = np.full((size, size), 255, np.uint8)
    places = rng.integers(0, size, (int(rng.integers(8, 150)), 2))
    seeds[places[:, 0], places[:, 1]] = 0
    return _stretch(np.asarray(cv2.distanceTransform(seeds, cv2.DIST_L2, 3)))


def _gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] / (size - 1)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = x * np.cos(angle) + y * np.sin(angle)
    return _stretch(ramp)


def _stretch(values: np.ndarray) -> np.ndarray:
    """Values moved and scaled to [0, 1]."""
    low, high = values.min(), values.max()
    return (values - low) / max(high - low, 1e-6)


PATTERNS: tuple[Pattern, ...] = (_noise, _noise, _stripes, _checker, _spots, _cells, _gradient)
