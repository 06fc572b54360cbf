"""Distractors: other things that lie around, apart from each other, from block and robot, and not in front of it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.distractors import UV_M
from sim.meshes import load_mesh
from sim.random_streams import stream
from sim.randomization.boxes import Boxes, bounds
from sim.randomization.cameras import block_points
from sim.randomization.config import DistractorRanges, RandomizationConfig
from sim.randomization.draws import count_within, happens, one_of, within
from sim.randomization.postures import block_box
from sim.randomization.supports import Support
from sim.randomization.surfaces import surface
from sim.robots import RobotDescription
from sim.scene import DISTRACTOR, Block, Body

PLACES = 16  # tried for each object
STEEPEST_RAD = 0.35  # objects follow slopes up to this


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What objects stay clear of: the block, the robot's balls (centres (K, 3), radii (K,)), the sight of the
    cameras at eyes (V, 3). All m."""

    block: Block
    centres: np.ndarray
    radii: np.ndarray
    eyes: np.ndarray


def sample_distractors(
    seed: int,
    index: int,
    config: RandomizationConfig,
    description: RobotDescription,
    support: Support,
    around: Surroundings,
) -> tuple[Body, ...]:
    """The objects, number i labelled DISTRACTOR + i; those that find no place are left out.

    What an object looks like and where it might stand does not depend on the objects before it.
    """
    rng, ranges = stream(seed, index, "distractors"), config.distractors
    taken, sight = block_box(around.block), _Sight(around)
    bodies: list[Body] = []
    for _ in range(count_within(rng, ranges.count)):
        mesh = f"distractor/{one_of(rng, ranges.kinds)}/{int(rng.random() * ranges.seeds)}"
        scale = within(rng, ranges.scale)
        low, high = bounds_of(mesh)
        poses = _places(rng, ranges, description, support, around.block, scale * (high - low))
        material = surface(rng, ranges.look, UV_M * scale, config.texture_seeds)
        if happens(rng, ranges.block_colour_share):
            material = around.block.material
        boxes = Boxes.of(poses, scale * low, scale * high)
        clear = (boxes.gaps(taken) >= ranges.gap_m).all(axis=1)
        clear &= (boxes.gaps_to_balls(around.centres, around.radii) >= ranges.gap_m).all(axis=1)
        for place in np.flatnonzero(clear).tolist():
            box = boxes.one(place)
            if sight.is_left(box, ranges.most_hidden_share):
                taken = taken.and_(box)
                bodies.append(
                    Body(mesh, poses[place], material, DISTRACTOR + len(bodies), (scale, scale, scale))
                )
                break
    return tuple(bodies)


class _Sight:
    """Which of the block's points each camera still sees."""

    def __init__(self, around: Surroundings) -> None:
        points = block_points(around.block)
        self._shape = (len(around.eyes), len(points))
        self._start = np.repeat(around.eyes, len(points), axis=0)
        self._end = np.tile(points, (len(around.eyes), 1))
        self._hidden = np.zeros(len(self._start), bool)

    def is_left(self, box: Boxes, most_hidden_share: float) -> bool:
        """Whether, with the box too, no camera loses more than that share of the block; if so, the box stays."""
        hidden = self._hidden | box.stops(self._start, self._end)[0]
        if hidden.reshape(self._shape).mean(axis=1).max(initial=0.0) > most_hidden_share:
            return False
        self._hidden = hidden
        return True


@lru_cache(maxsize=4096)
def bounds_of(mesh: str) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner (3,) of a mesh, by name."""
    return bounds(load_mesh(mesh))


def _places(
    rng: np.random.Generator,
    ranges: DistractorRanges,
    description: RobotDescription,
    support: Support,
    block: Block,
    size_m: np.ndarray,
) -> np.ndarray:
    """(PLACES, 4, 4) poses where an object might stand: near the block, or anywhere around the workspace."""
    near, turn, far, across, along, yaw = rng.random((6, PLACES))
    distance = ranges.near_m[0] + (ranges.near_m[1] - ranges.near_m[0]) * far
    low = np.array([description.workspace_x_m[0], description.workspace_y_m[0]]) - ranges.margin_m
    high = np.array([description.workspace_x_m[1], description.workspace_y_m[1]]) + ranges.margin_m
    is_near = near < ranges.near_share
    x = np.where(
        is_near, block.x_m + distance * np.cos(2 * np.pi * turn), low[0] + (high[0] - low[0]) * across
    )
    y = np.where(
        is_near, block.y_m + distance * np.sin(2 * np.pi * turn), low[1] + (high[1] - low[1]) * along
    )
    rim = np.hypot(size_m[0], size_m[1]) / 2
    x = np.clip(x, support.low[0] + rim, support.high[0] - rim)
    y = np.clip(y, support.low[1] + rim, support.high[1] - rim)
    return support.lay(x, y, 2 * np.pi * yaw, (float(size_m[0]), float(size_m[1])), STEEPEST_RAD)
