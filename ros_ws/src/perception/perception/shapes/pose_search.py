"""Which way a shape is turned: the rotations under which the network explains it best.

Algorithm 1 of 3D-CODED (Groueix et al., ECCV 2018) tries rotations at full cost. Here an even grid over all rotations
is tried on few points, what stands out is drawn to its optimum by closest points (Besl and McKay, 1992), with the
network encoding the shape anew as it is turned, and only a few are left for the regression to decide between.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from perception.shapes.chamfer import Neighbours, neighbours
from perception.shapes.deformation import DeformationNetwork, Floats
from perception.shapes.rotations import angle_between
from perception.shapes.shape import Points
from perception.shapes.similarity import Similarity, fitted

_COARSE_POINTS, _COARSE_TEMPLATE = 400, 250
_FINE_POINTS, _FINE_TEMPLATE = 1000, 600
_PEAKS, _APART_RAD = 10, np.radians(35)
_TURNS = 4
_BATCH = 48

Progress = Callable[[float], None]
"""Is told the part of the work that is done, from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Start:
    """A latent vector (L,), how the deformed template lies in the normalised shape, and the Chamfer distance there."""

    latent: Floats
    pose: Similarity
    distance: float


def starts(
    network: DeformationNetwork, samples: Points, template: Points, grid: Points, count: int, progress: Progress
) -> list[Start]:
    """The best poses of normalised samples (N, 3), at least 35 degrees apart, the best first, begun from the rotations
    (R, 3, 3) of a grid. samples and template (M, 3) are ordered so that the first of them are spread evenly, too."""
    coarse = []
    for i in range(0, len(grid), _BATCH):
        turned = [Similarity.turned(rotation) for rotation in grid[i : i + _BATCH]]
        coarse += encoded(network, turned, samples[:_COARSE_POINTS], template[:_COARSE_TEMPLATE])
        progress(0.7 * min(1, (i + _BATCH) / len(grid)))
    found = peaks(coarse, _PEAKS)
    few, some = samples[:_FINE_POINTS], template[:_FINE_TEMPLATE]
    best = found
    for turn in range(_TURNS):
        found = encoded(network, [_turned(network, start, few, some) for start in found], few, some)
        best = found if turn == 0 else [min(pair, key=_distance) for pair in zip(best, found, strict=True)]
        progress(0.7 + 0.3 * (turn + 1) / _TURNS)
    return peaks(best, count)


def encoded(
    network: DeformationNetwork, poses: list[Similarity], samples: Points, template: Points
) -> list[Start]:
    """What the network makes of normalised samples (N, 3) that lie so: latent vectors and Chamfer distances."""
    latents = network.encode(np.stack([pose.undo(samples) for pose in poses]))
    tree = cKDTree(samples)
    return [
        Start(latent, pose, neighbours(pose.apply(deformed), samples, tree).distance())
        for latent, pose, deformed in zip(latents, poses, network.decode(latents, template), strict=True)
    ]


def aligned(deformed: NDArray[np.floating], target: Points, found: Neighbours, u: Points, v: Points) -> Similarity:
    """The similarity that brings the deformed template (M, 3) closest to its neighbours and those it is one of."""
    source = np.concatenate([deformed, deformed[found.template]])
    aim = np.concatenate([target[found.target], target])
    return fitted(source, aim, np.concatenate([u / len(u), v / len(v)]))


def _turned(network: DeformationNetwork, start: Start, samples: Points, template: Points) -> Similarity:
    """The rotation alone of a step of closest points: place and size are those of the normalised shape."""
    deformed = network.decode(start.latent[None], template)[0]
    found = neighbours(start.pose.apply(deformed), samples, cKDTree(samples))
    step = aligned(deformed, samples, found, np.ones(len(deformed)), np.ones(len(samples)))
    return Similarity.turned(step.rotation)


def peaks(found: list[Start], count: int) -> list[Start]:
    """The best of them that differ in their rotation."""
    kept: list[Start] = []
    for start in sorted(found, key=_distance):
        if all(angle_between(start.pose.rotation, one.pose.rotation) > _APART_RAD for one in kept):
            kept.append(start)
        if len(kept) == count:
            break
    return kept


def _distance(start: Start) -> float:
    return start.distance
