"""Distractors: other things that lie around, apart from each other, from block and robot, and not in front of it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

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
UV_M = 0.1


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What objects have to stay clear of: the block, the robot's balls, and sight lines from the eyes (V, 3)."""

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
    """The objects, number i labelled DISTRACTOR + i; each has a stream of its own."""
    ranges = config.distractors
    count = count_within(stream(seed, index, "distractors"), ranges.count)
    if count == 0:
        return ()
    taken, points = block_box(around.block), block_points(around.block)
    start = np.repeat(around.eyes, len(points), axis=0)
    end = np.tile(points, (len(around.eyes), 1))
    hidden = np.zeros(len(start), bool)
    bodies: list[Body] = []
    for number in range(count):
        rng = stream(seed, index, f"distractor {number}")
        mesh = f"distractor/{one_of(rng, ranges.kinds)}/{int(rng.random() * ranges.seeds)}"
        scale = within(rng, ranges.scale)
        poses = _places(rng, ranges, description, support, around.block, _size(mesh) * scale)
        boxes = Boxes.of(poses, *(scale * corner for corner in _bounds(mesh)))
        clear = (boxes.gaps(taken) >= ranges.gap_m).all(axis=1)
        clear &= (boxes.gaps_to_balls(around.centres, around.radii) >= ranges.gap_m).all(axis=1)
        for place in np.flatnonzero(clear):
            stopped = hidden | boxes.one(int(place)).stops(start, end)[0]
            shares = stopped.reshape(len(around.eyes), -1).mean(axis=1)
            if shares.max(initial=0.0) <= ranges.most_hidden_share:
                hidden = stopped
                taken = taken.and_(boxes.one(int(place)))
                material = surface(stream(seed, index, f"distractor look {number}"), ranges.look, UV_M, config.texture_seeds)
                if happens(rng, ranges.block_colour_share):
                    material = around.block.material
                label = DISTRACTOR + len(bodies)
                bodies.append(Body(mesh, poses[place], material, label, (scale, scale, scale)))
                break
    return tuple(bodies)


@lru_cache(maxsize=4096)
def _bounds(mesh: str) -> tuple[np.ndarray, np.ndarray]:
    return bounds(load_mesh(mesh))


def _size(mesh: str) -> np.ndarray:
    low, high = _bounds(mesh)
    return high - low


def _places(
    rng: np.random.Generator,
    ranges: DistractorRanges,
    description: RobotDescription,
    support: Support,
    block: Block,
    size_m: np.ndarray,
) -> np.ndarray:
    """(PLACES, 4, 4) poses where an object might stand: near the block, or anywhere around the workspace."""
    near = rng.random(PLACES) < ranges.near_share
    turn, far, across, along, yaw = rng.random((5, PLACES))
    distance = ranges.near_m[0] + (ranges.near_m[1] - ranges.near_m[0]) * far
    low = np.array([description.workspace_x_m[0], description.workspace_y_m[0]]) - ranges.margin_m
    high = np.array([description.workspace_x_m[1], description.workspace_y_m[1]]) + ranges.margin_m
    x = np.where(near, block.x_m + distance * np.cos(2 * np.pi * turn), low[0] + (high[0] - low[0]) * across)
    y = np.where(near, block.y_m + distance * np.sin(2 * np.pi * turn), low[1] + (high[1] - low[1]) * along)
    rim = np.hypot(*size_m[:2]) / 2
    x, y = np.clip(x, support.low[0] + rim, support.high[0] - rim), np.clip(y, support.low[1] + rim, support.high[1] - rim)
    steepest = np.radians(20)
    return np.array(
        [support.lay(*place, (size_m[0], size_m[1]), steepest) for place in zip(x, y, 2 * np.pi * yaw, strict=True)]
    )
