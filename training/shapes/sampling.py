"""What a network in training sees of a shape: some of its places, turned, noisy, at times with parts missing."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from perception.shapes.normalise import frame_of
from training.core.order import batch_indices
from training.shapes.config import ShapesConfig
from training.shapes.shape_set import ShapeSet


@dataclass(frozen=True)
class Sample:
    """points (B, N, 3) that the encoder sees; template (M, 3) and where its points belong (B, M, 3); all normalised, by
    scales (B,) in m."""

    points: Tensor
    template: Tensor
    places: Tensor
    scale: Tensor


def sample(shapes: ShapeSet, config: ShapesConfig, step: int, batch: int, first: int) -> Sample:
    """Samples first to first + config.batch of a step's batch over all processes; of (seed, step, first) alone.

    A cloud with parts missing is normalised as what is left of it, as it will be when a network is used.
    """
    rng = np.random.default_rng((config.seed, step, first))
    indices = batch_indices(config.seed, step, batch, len(shapes))[first : first + config.batch]
    rows = torch.from_numpy(rng.permutation(len(shapes.template))[: config.points + config.places])
    clouds = shapes.shapes(indices, rows).numpy() @ _turns(rng, len(indices), config.turn_rad)
    seen, places = clouds[:, : config.points], clouds[:, config.points :]
    for i in np.flatnonzero(rng.random(len(seen)) < (0 if config.unsupervised else config.partial_share)):
        seen[i] = _partial(rng, seen[i])
    noise = rng.normal(0, config.noise, seen.shape) * (rng.random((len(seen), 1, 1)) < config.noisy_share)
    return _normalised(shapes, config, rows, seen, places, noise)


def whole_shapes(shapes: ShapeSet, count: int, config: ShapesConfig) -> Sample:
    """The first `count` shapes as they are, at the set's first places."""
    rows = torch.arange(config.points + config.places)
    clouds = shapes.shapes(torch.arange(count), rows).numpy()
    return _normalised(shapes, config, rows, clouds[:, : config.points], clouds[:, config.points :])


def _normalised(
    shapes: ShapeSet, config: ShapesConfig, rows: Tensor, seen: np.ndarray, places: np.ndarray,
    noise: np.ndarray | float = 0.0,
) -> Sample:
    frame = frame_of(seen)
    return Sample(
        torch.from_numpy(frame.normalised(seen) + noise).float(),
        normalised_template(shapes)[rows[config.points :]],
        torch.from_numpy(frame.normalised(places)).float(),
        torch.from_numpy(frame.scale).float(),
    )


def normalised_template(shapes: ShapeSet) -> Tensor:
    """(P, 3) places of the template as networks see them."""
    return torch.from_numpy(frame_of(shapes.template).normalised(shapes.template)).float()


def _turns(rng: np.random.Generator, count: int, largest_rad: float) -> np.ndarray:
    """(B, 3, 3) float32 rotations about random axes, by up to largest_rad."""
    axes = rng.normal(size=(count, 3))
    axes *= rng.uniform(0, largest_rad, (count, 1)) / np.linalg.norm(axes, axis=1, keepdims=True)
    return Rotation.from_rotvec(axes).as_matrix().astype(np.float32)


def _partial(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """The points (N, 3) on one side of a random plane, repeated to be as many as before."""
    along = points @ rng.normal(size=3)
    kept = np.flatnonzero(along <= np.quantile(along, rng.uniform(0.5, 0.95)))
    return points[rng.permutation(np.resize(kept, len(points)))]
