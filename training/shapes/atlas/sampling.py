"""What a network for atlases sees and is compared with in a step: new points of shapes and charts each time."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from perception.shapes.atlas.bundle import has_charts
from perception.shapes.atlas.charts import sphere_grid, sphere_points, square_grid, square_points
from perception.shapes.atlas.reconstruction import Placement
from training.core.order import batch_indices
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.metrics import POINTS
from training.shapes.atlas.picture_set import PictureSet
from training.shapes.atlas.surface_set import SurfaceSet


@dataclass(frozen=True)
class Batch:
    """seen: clouds (B, N, 3) or pictures (B, S, S, 3) uint8; charts (K, N, D), the same for all shapes, or None; target
    (B, M, 3), or (B, M, 6) with normals."""

    seen: Tensor
    charts: Tensor | None
    target: Tensor


def batch_of(
    config: AtlasConfig, surfaces: SurfaceSet, pictures: PictureSet | None, step: int, whole: int, first: int
) -> Batch:
    """Samples first to first + config.batch of a step's batch over all processes; of (seed, step, first) alone."""
    rng = np.random.default_rng((config.seed, step, first))
    count = len(surfaces) if pictures is None else len(pictures)
    indices = batch_indices(config.seed, step, whole, count)[first : first + config.batch].tolist()
    seen, targets = [], []
    for index in indices:
        shape = index % len(surfaces)
        points, normals = surfaces.sample(shape, config.points, rng)
        if pictures is not None:
            seen.append(_picture(pictures, index, rng))
        else:
            cloud = surfaces.sample(shape, config.seen, rng)[0]
            if config.stretched or config.turned:
                cloud, points, normals = varied(config, cloud, points, normals, rng)
            seen.append(cloud)
        targets.append(_target(config, points, normals))
    return Batch(torch.from_numpy(np.stack(seen)), random_charts(config, rng), torch.from_numpy(np.stack(targets)))


def held_out_batches(
    config: AtlasConfig, surfaces: SurfaceSet, pictures: PictureSet | None, count: int, size: int
) -> list[tuple[Tensor, np.ndarray]]:
    """What the network sees of the first `count` shapes, `size` at a time, and 2,500 points or so of each (B, M, 3)."""
    found = []
    for first in range(0, count, size):
        chosen = range(first, min(first + size, count))
        if pictures is None:
            seen = np.stack([surfaces.first(index, config.seen) for index in chosen])
        else:
            seen = np.stack([pictures.picture(index) for index in chosen])
        # Other points than those that the encoder saw, as far as there are.
        truth = np.stack([surfaces.last(index, POINTS) for index in chosen])
        found.append((torch.from_numpy(seen), truth))
    return found


def random_charts(config: AtlasConfig, rng: np.random.Generator) -> Tensor | None:
    """(K, N, D) points of charts, everywhere as likely; of translated points, the grid that they began as."""
    each = config.points // config.charts
    if not has_charts(config.structure) or config.structure == "translation":
        return regular_charts(config)
    points = sphere_points(rng, each) if config.structure == "sphere" else square_points(rng, config.charts, each)
    return torch.from_numpy(points).float()


def regular_charts(config: AtlasConfig) -> Tensor | None:
    """(K, N, D) points of a regular grid over the charts, about as many as measures compare; of translated points
    their own."""
    if not has_charts(config.structure):
        return None
    if config.structure == "sphere":
        return torch.from_numpy(sphere_grid(POINTS).points).float()[None]
    points = config.points if config.structure == "translation" else POINTS
    grid = square_grid(points // config.charts)
    return torch.from_numpy(grid.points).float().expand(config.charts, -1, -1)


def varied(
    config: AtlasConfig, cloud: np.ndarray, points: np.ndarray, normals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both clouds (N, 3) of a shape stretched and turned alike, in the unit ball again; normals of the second."""
    angle = rng.uniform(-np.pi, np.pi) if config.turned else 0.0
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    factors = np.exp(rng.uniform(-config.stretched, config.stretched, 3))
    moved = np.concatenate([cloud, points]) * factors @ turn.T
    moved = Placement.of(moved, np.eye(3)).apply(moved).astype(np.float32)
    across = normals / factors @ turn.T
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return moved[: len(cloud)], moved[len(cloud) :], across.astype(np.float32)


def _target(config: AtlasConfig, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    if config.structure == "points_normals":
        return np.concatenate([points, config.normals * normals], axis=1)
    return points


def _picture(pictures: PictureSet, index: int, rng: np.random.Generator) -> np.ndarray:
    """The drawing of a view, or its picture in somewhat other colours."""
    if rng.random() < 0.5:
        return pictures.drawing(index)
    picture = pictures.picture(index).astype(np.float32)
    gain, shift = rng.uniform(0.75, 1.25, 3), rng.uniform(-20, 20)
    return np.clip(picture * gain + shift, 0, 255).astype(np.uint8)
