"""The block from what all views show: hypotheses, bundle adjustment of each, and what is left between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.adjustment import Adjusted, BlockPrior, Observations, Pose, adjust
from perception.camera import Camera
from perception.refinement import SecondLook
from perception.search import Looking, attitudes, gathered, log_likelihood, places

Array = NDArray[np.float64]

# How many places are looked at, how many nats less likely at first sight than the best they may be, and what one nat of
# the first look's score counts: less than one, because the channels of a view, and its cells, know the same things, and
# still less beside a second look, which knows better.
_FIRST_LOOK = (3, 9.0, 4.0)
_BESIDE_A_SECOND_LOOK = (12, 25.0, 16.0)
_CLEAR_NATS = 3.0  # less likely than this at first sight, and a place is not looked at
_CLEARLY_SEEN = 0.9  # where another one's pictures show a block as probably as this
_LEADS_THERE_M = 0.04  # a place so near to a block that was found leads to that one again
_WORTH_TURN_NATS = 8.0  # a turn of the block so much less likely than the best is dropped
_GATES_M = (0.06, 0.03)  # how far from where it is expected a point of the block is looked for, round by round
_FEWEST_POINTS = 4
_FARTHEST_GATHERED_M = 0.03  # what views agree on farther away than this from a place is something else


@dataclass(frozen=True)
class Solution:
    """A block with the cameras that go with it; weight: its share of the probability; seen (V,): probability of each
    view's maps that points of the block are where this solution has them."""

    adjusted: Adjusted
    weight: float
    seen: Array


@dataclass(frozen=True)
class _Found:
    """A hypothesis after all looks; evidence: log-odds of the second one."""

    adjusted: Adjusted
    seen: Array
    evidence: float


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
    count, worth_nats, temperature = _FIRST_LOOK if second_look is None else _BESIDE_A_SECOND_LOOK
    candidates = places(looks, count, prior)
    found: list[_Found] = []
    for place, score in candidates:
        if score < candidates[0][1] - worth_nats or (found and _settled(found, candidates[0][1] - score)):
            break
        if any(np.linalg.norm(place - one.adjusted.block.position) < _LEADS_THERE_M for one in found):
            continue
        if second_look is None:
            first = _refine(looks, cameras, robot, place, prior)
            found += [] if first is None else [_Found(first, _seen(looks, first), 0.0)]
        else:
            found += _looked_twice(looks, cameras, robot, place, prior, second_look)
    return _weighed(looks, found, prior, temperature) if found else []


def follow(
    looks: Sequence[Looking], cameras: Sequence[Camera], starts: Sequence[Pose], second_look: SecondLook
) -> list[Solution]:
    """Where the block is now, likeliest first, that was at one of some places; none where it is near none of them.

    looks, cameras: of an earlier set of images, which also says how likely the places are at first sight; second_look:
    in the images of now.
    """
    looked = second_look(cameras, starts)
    found = [_Found(one.adjusted, one.seen, one.evidence) for one in looked if one.adjusted is not None]
    return _weighed(looks, found, BlockPrior(), _BESIDE_A_SECOND_LOOK[2]) if found else []


def _weighed(
    looks: Sequence[Looking], found: Sequence[_Found], prior: BlockPrior, temperature: float
) -> list[Solution]:
    """The solutions of hypotheses, likeliest first, each once."""
    scores = [
        _score(looks, one.adjusted) / temperature + one.evidence + prior.log_density_of_size(one.adjusted.block.size)
        for one in found
    ]
    weights = np.exp(np.array(scores) - max(scores))
    solutions = [
        Solution(one.adjusted, float(weight), one.seen)
        for one, weight in zip(found, weights / weights.sum(), strict=True)
    ]
    return _distinct(sorted(solutions, key=lambda solution: -solution.weight))


def _settled(found: Sequence[_Found], nats: float) -> bool:
    """Whether places that are so much less likely than the first need not be looked at any more."""
    return nats > _CLEAR_NATS and max(float(np.mean(one.seen)) for one in found) > _CLEARLY_SEEN


def _looked_twice(
    looks: Sequence[Looking],
    cameras: Sequence[Camera],
    robot: Observations,
    place: Array,
    prior: BlockPrior,
    second_look: SecondLook,
) -> list[_Found]:
    """The hypotheses of one place: the block in each attitude that it may well have, once more looked at. Where that
    shows nothing, what the first look alone gives."""
    flat = Pose.upright(place, 0.0, np.array(prior.size_m))
    parts = _block_points(looks, cameras, flat, _GATES_M[0], pairs=False)
    position = gathered(list(zip(looks, parts, strict=True)), cameras, flat)
    if np.linalg.norm(position - place) > _FARTHEST_GATHERED_M:
        position = place
    looked = second_look(cameras, attitudes(looks, cameras, position, _WORTH_TURN_NATS))
    found = [_Found(one.adjusted, one.seen, one.evidence) for one in looked if one.adjusted is not None]
    if found:
        return found
    first, most = _refine(looks, cameras, robot, place, prior), max(looked, key=lambda one: one.evidence)
    return [] if first is None else [_Found(first, most.seen, most.evidence)]


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
