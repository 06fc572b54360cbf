"""The block from what all views show: hypotheses, bundle adjustment of each, and what is left between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perception.adjustment import Adjusted, BlockPrior, Observations, Pose, adjust
from perception.camera import Camera
from perception.search import Looking, attitudes, log_likelihood, places

Array = NDArray[np.float64]
SecondLook = Callable[[Adjusted], Adjusted]

_CANDIDATES = 3
_WORTH_TURN_NATS = 15.0  # the same for a turn of the block
_WORTH_NATS = 9.0  # a hypothesis so much less likely than the best is dropped
_GATES_M = (0.06, 0.03)  # how far from where it is expected a point of the block is looked for, round by round
_FEWEST_POINTS = 4
# One nat of a heat map's score is worth less than one nat: the channels of a view, and its cells, know the same things.
_TEMPERATURE = 4.0


@dataclass(frozen=True)
class Solution:
    """A block with the cameras that go with it; weight: its share of the probability; seen (V,): probability of each
    view's maps that points of the block are where this solution has them."""

    adjusted: Adjusted
    weight: float
    seen: Array


def locate(
    looks: Sequence[Looking],
    cameras: Sequence[Camera],
    robot: Observations,
    prior: BlockPrior | None = None,
    second_look: SecondLook | None = None,
) -> list[Solution]:
    """Where the block may be, likeliest first; none where no view sees it.

    looks: the images in which the block is looked for, by the numbers of their cameras. cameras: as first found.
    robot: all that is seen of the robot, which holds the cameras. second_look: makes a better adjustment of a rough
    one; with it, place and yaw are found roughly first.
    """
    prior = prior or BlockPrior()
    candidates = places(looks, _CANDIDATES, prior)
    worth = [place for place, score in candidates if score > candidates[0][1] - _WORTH_NATS]
    if second_look is None:
        adjusted = [one for place in worth if (one := _refine(looks, cameras, robot, place, prior))]
    else:
        adjusted = [second_look(one) for place in worth for one in _placed(looks, cameras, robot, place, prior)]
    found = [(one, _score(looks, one)) for one in adjusted]
    if not found:
        return []
    best = max(score for _, score in found)
    weights = np.array([np.exp((score - best) / _TEMPERATURE) for _, score in found])
    solutions = [
        Solution(one, float(weight), _seen(looks, one))
        for (one, _), weight in zip(found, weights / weights.sum(), strict=True)
    ]
    return _distinct(sorted(solutions, key=lambda solution: -solution.weight))


def _placed(
    looks: Sequence[Looking], cameras: Sequence[Camera], robot: Observations, place: Array, prior: BlockPrior
) -> list[Adjusted]:
    """The adjustment of the block's place alone, from the middles of its bottom and top, with each attitude that it may
    well have."""
    flat = Pose.upright(place, 0.0, np.array(prior.size_m))
    parts = _block_points(looks, cameras, flat, _GATES_M[0], pairs=False)
    if not sum(len(part.camera) for part in parts):
        return []
    result = adjust(Observations.join([robot, *parts]), cameras, flat, prior)
    found = attitudes(looks, result.cameras, result.block.position, _WORTH_TURN_NATS)
    return [replace(result, block=pose) for pose in found]


def _block_points(
    looks: Sequence[Looking], cameras: Sequence[Camera], block: Pose, gate_m: float, pairs: bool = True
) -> list[Observations]:
    parts = []
    for look in looks:
        camera = cameras[look.number]
        gate_px = gate_m * camera.focal_px / float(camera.project(block.position)[1])
        parts.append(look.sight.block_points(look.number, camera, block, gate_px, pairs))
    return parts


def _refine(
    looks: Sequence[Looking], cameras: Sequence[Camera], robot: Observations, place: Array, prior: BlockPrior
) -> Adjusted | None:
    """The adjustment that begins at a place on the plane."""
    block, current = attitudes(looks, cameras, place)[0], list(cameras)
    result = None
    for gate_m in _GATES_M:
        parts = _block_points(looks, current, block, gate_m)
        if sum(len(part.camera) for part in parts) < _FEWEST_POINTS:
            return None
        result = adjust(Observations.join([robot, *parts]), current, block, prior)
        current = list(result.cameras)
        block = attitudes(looks, current, result.block.position)[0] if gate_m == _GATES_M[0] else result.block
        if gate_m == _GATES_M[0] and _same_way(block, result.block):
            block = result.block
    return result


def _same_way(first: Pose, second: Pose) -> bool:
    """Whether two blocks lie alike, within what the search for an attitude tells apart."""
    return abs(float(first.rotation[:, 0] @ second.rotation[:, 0])) > np.cos(0.3)


def _score(looks: Sequence[Looking], adjusted: Adjusted) -> float:
    return sum(float(log_likelihood(look, adjusted.cameras[look.number], [adjusted.block])[0]) for look in looks)


def _seen(looks: Sequence[Looking], adjusted: Adjusted) -> Array:
    """(V,) probability mass of the block's centre near where it was found."""
    shares = []
    for look in looks:
        sight, camera = look.sight, adjusted.cameras[look.number]
        expected = sight.frame.to_cells(camera.project(adjusted.block.position)[0])
        shares.append(sight.mass_near(sight.names.index("block_centre"), expected))
    return np.array(shares)


def _distinct(solutions: list[Solution]) -> list[Solution]:
    """Without those that came to the place of a likelier one."""
    kept: list[Solution] = []
    for one in solutions:
        block = one.adjusted.block
        if not any(
            np.linalg.norm(block.position - other.adjusted.block.position) < 0.01
            and _same_way(block, other.adjusted.block)
            for other in kept
        ):
            kept.append(one)
    total = sum(one.weight for one in kept)
    return [Solution(one.adjusted, one.weight / total, one.seen) for one in kept]
