"""Distractors: other things that lie around, apart from each other, from block and robot, and not in front of it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.distractors import UV_M
from sim.meshes import load_mesh
from sim.random_streams import stream
from sim.randomization.boxes import Boxes, bounds
from sim.randomization.config import DistractorRanges, RandomizationConfig
from sim.randomization.draws import count_within, happens, one_of, within
from sim.randomization.postures import block_box
from sim.randomization.supports import Support
from sim.randomization.surfaces import surface
from sim.robots import RobotDescription
from sim.scene import DISTRACTOR, Block, Body, Material

PLACES = 12  # tried for each object
STEEPEST_RAD = 0.35  # objects follow slopes up to this


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What objects stay clear of: the block, the robot's balls (centres (K, 3), radii (K,)), and the sight of the
    block's points (P, 3) from the cameras' eyes (V, 3). All m."""

    block: Block
    points: np.ndarray
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

    What an object looks like and where it might stand does not depend on what is around, only whether it may.
    """
    rng, ranges = stream(seed, index, "distractors"), config.distractors
    things = [_thing(rng, config, around.block) for _ in range(count_within(rng, ranges.count))]
    if not things:
        return ()
    places = _places(
        rng, ranges, description, support, around.block, np.array([thing.size for thing in things])
    )
    low, high = (
        np.repeat([getattr(thing, end) for thing in things], PLACES, axis=0) for end in ("low", "high")
    )
    boxes = Boxes.of(places, low, high)
    clear = boxes.gaps(block_box(around.block))[:, 0] >= ranges.gap_m
    clear &= (boxes.gaps_to_balls(around.centres, around.radii) >= ranges.gap_m).all(axis=1)
    stopped = dict(zip(np.flatnonzero(clear).tolist(), _stopped(boxes.some(clear), around), strict=True))
    hidden, taken = np.zeros((len(around.eyes), len(around.points)), bool), Boxes.none()
    bodies: list[Body] = []
    for number, thing in enumerate(things):
        for place in range(number * PLACES, (number + 1) * PLACES):
            if place not in stopped:
                continue
            now, box = hidden | stopped[place], boxes.one(place)
            apart = taken.clears(box, ranges.gap_m)
            if apart and now.mean(axis=1).max(initial=0.0) <= ranges.most_hidden_share:
                hidden, taken = now, taken.and_(box)
                label, scale = DISTRACTOR + len(bodies), (thing.scale, thing.scale, thing.scale)
                bodies.append(Body(thing.mesh, places[place], thing.material, label, scale))
                break
    return tuple(bodies)


@dataclass(frozen=True, eq=False)
class _Thing:
    """An object before it has a place: low and high corner (3,) of its box as scaled, m."""

    mesh: str
    scale: float
    material: Material
    low: np.ndarray
    high: np.ndarray

    @property
    def size(self) -> np.ndarray:
        return self.high - self.low


def _thing(rng: np.random.Generator, config: RandomizationConfig, block: Block) -> _Thing:
    ranges = config.distractors
    mesh = f"distractor/{one_of(rng, ranges.kinds)}/{config.first_seed + int(rng.random() * ranges.seeds)}"
    scale = within(rng, ranges.scale)
    material = surface(rng, ranges.look, UV_M * scale, config.textures)
    if happens(rng, ranges.block_colour_share):
        material = block.material
    low, high = bounds_of(mesh)
    return _Thing(mesh, scale, material, scale * low, scale * high)


def _stopped(boxes: Boxes, around: Surroundings) -> np.ndarray:
    """(N, V, P) which of the block's points each box hides from each eye."""
    points, eyes = around.points, around.eyes
    start, end = np.repeat(eyes, len(points), axis=0), np.tile(points, (len(eyes), 1))
    return boxes.stops(start, end).reshape(len(boxes.centres), len(eyes), len(points))


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
    sizes_m: np.ndarray,
) -> np.ndarray:
    """(N * PLACES, 4, 4) poses where objects of sizes (N, 3) might stand, PLACES of one after the other: near the
    block, or anywhere around the workspace."""
    near, turn, far, across, along, yaw = rng.random((len(sizes_m), 6, PLACES)).transpose(1, 0, 2)
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
    rim = np.hypot(sizes_m[:, 0], sizes_m[:, 1])[:, None] / 2
    x = np.clip(x, support.low[0] + rim, support.high[0] - rim)
    y = np.clip(y, support.low[1] + rim, support.high[1] - rim)
    sizes = np.repeat(sizes_m[:, :2], PLACES, axis=0)
    return support.lay(x.ravel(), y.ravel(), 2 * np.pi * yaw.ravel(), sizes, STEEPEST_RAD)
