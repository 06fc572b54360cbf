"""Latent regression: the latent vector and the pose whose deformed template lies closest to a shape.

Groueix et al., ECCV 2018, section 3.3, minimise the Chamfer distance over the latent vector by a fixed number of steps
of Adam. Here the pose follows by closest points, and the steps end when they no longer pay.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from perception.shapes.chamfer import Neighbours, neighbours, pull
from perception.shapes.deformation import DeformationNetwork, Floats
from perception.shapes.pose_search import Progress, Start, aligned
from perception.shapes.shape import Points

FIRST_STEP = 0.02
"""RMS way of the template's points in the first step, in normalised units."""
_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Kingma and Ba, "Adam", 2015
_WINDOW, _PAYS = 15, 0.01
"""Steps go on while the mean of this many distances falls by this part of the mean of those before."""
_HALVINGS = 3
_POSE_EVERY = 5


@dataclass(frozen=True)
class Weighting:
    """Which points count, by their distance from the other side in medians of it: those beyond `reach` fade.

    template: those of the template, of which a partial shape has no counterpart. target: those of the shape, of which
    some are noise.
    """

    template: float = np.inf
    target: float = np.inf

    def of(self, found: Neighbours) -> tuple[Points, Points]:
        """(M,) and (N,) weights: Geman and McClure's of distances in `reach` medians of the shape's points."""
        unit = max(float(np.median(found.template_distance)), 1e-9)
        return (
            1 / (1 + (found.target_distance / (self.template * unit)) ** 2) ** 2,
            1 / (1 + (found.template_distance / (self.target * unit)) ** 2) ** 2,
        )


def regressed(
    network: DeformationNetwork,
    start: Start,
    samples: Points,
    template: Points,
    steps: int,
    progress: Progress,
    weighting: Weighting = Weighting(),
    first_step: float = FIRST_STEP,
) -> Start:
    """The best that at most so many steps from `start` find for normalised samples (N, 3) and template (M, 3)."""
    tree, latent, pose = cKDTree(samples), start.latent.astype(np.float64), start.pose
    found = neighbours(pose.apply(network.decode(latent[None], template)[0]), samples, tree)
    first, second = np.zeros_like(latent), np.zeros_like(latent)
    rate, halvings, last_change = 0.0, 0, 0
    best, history = start, list[float]()
    for step in range(steps):
        # The neighbours are those of the step before, as in closest points: finding them anew before each gradient
        # would take half as much again.
        weight, target = pull(found, pose.undo(samples), *weighting.of(found))
        deformed, gradients = network.decode_with_gradient(latent[None], template, weight[None], target[None])
        found = neighbours(pose.apply(deformed[0]), samples, tree)
        u, v = weighting.of(found)
        history.append(found.distance(u, v))
        if history[-1] == min(history):
            best = Start(latent.astype(np.float32), pose, history[-1])
        progress((step + 1) / steps)
        if step - last_change >= 2 * _WINDOW and _stalls(history):
            if halvings == _HALVINGS:
                break
            rate, halvings, last_change = rate / 2, halvings + 1, step
        if step % _POSE_EVERY == _POSE_EVERY - 1:
            pose = aligned(deformed[0], samples, found, u, v)
        gradient = gradients[0].astype(np.float64)
        first = _BETAS[0] * first + (1 - _BETAS[0]) * gradient
        second = _BETAS[1] * second + (1 - _BETAS[1]) * gradient**2
        unbiased = np.sqrt(second / (1 - _BETAS[1] ** (step + 1))) + _EPSILON
        direction = first / (1 - _BETAS[0] ** (step + 1)) / unbiased
        if step == 0:
            rate = first_step * _rate(network, latent, template, deformed[0], direction)
        latent = latent - rate * direction
    progress(1.0)
    return best


def _stalls(history: list[float]) -> bool:
    recent, before = history[-_WINDOW:], history[-2 * _WINDOW : -_WINDOW]
    return float(np.mean(recent)) > (1 - _PAYS) * float(np.mean(before))


def _rate(
    network: DeformationNetwork, latent: Points, template: Points, deformed: Floats, direction: Points
) -> float:
    """The rate at which a step in this direction moves the template's points by an RMS of 1: what a latent vector's
    units are, networks differ in."""
    tried = 1e-2 * float(np.sqrt((latent**2).mean())) or 1e-2
    moved = network.decode((latent - tried * direction)[None], template)[0] - deformed
    return tried / max(float(np.sqrt((moved**2).sum(axis=1).mean())), 1e-9)
