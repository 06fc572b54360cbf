"""The room: walls and furniture around the bench, none of it between a camera and what it looks at."""

import numpy as np

from sim.random_streams import stream
from sim.randomization.boxes import Boxes
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import count_within, happens, within
from sim.randomization.supports import Support
from sim.randomization.surfaces import surface
from sim.scene import ROOM, Body

THICKNESS_M, WALL_SIDE_M = 0.1, 10.0
CAMERA_GAP_M = 0.3  # walls stand at least this far behind a camera
PLACES = 8
SHAPES = ("box", "box", "box", "cylinder")


def sample_room(
    seed: int,
    index: int,
    config: RandomizationConfig,
    support: Support,
    middle_m: np.ndarray,
    eyes: np.ndarray,
    seen: np.ndarray,
) -> tuple[Body, ...]:
    """Walls and furniture around middle_m (3,) for cameras at eyes (V, 3) that look at points `seen` (P, 3)."""
    turn = 2 * np.pi * stream(seed, index, "room").random()
    walls = [_wall(seed, index, number, config, turn, middle_m, eyes, seen) for number in range(4)]
    pieces = _furniture(seed, index, config, support, middle_m, eyes, seen)
    return (*(wall for wall in walls if wall is not None), *pieces)


def _wall(
    seed: int,
    index: int,
    number: int,
    config: RandomizationConfig,
    turn: float,
    middle_m: np.ndarray,
    eyes: np.ndarray,
    seen: np.ndarray,
) -> Body | None:
    """A wall whose inner face stands behind all cameras and all that they look at."""
    rng, ranges = stream(seed, index, f"wall {number}"), config.room
    there, distance, height = happens(rng, ranges.wall_share), within(rng, ranges.wall_m), within(rng, ranges.wall_height_m)
    if not there:
        return None
    angle = turn + number * np.pi / 2
    outward = np.array([np.cos(angle), np.sin(angle), 0.0])
    kept_free = np.concatenate([eyes, seen]) - middle_m
    distance = max(distance, float((kept_free @ outward).max()) + CAMERA_GAP_M)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = outward, (-outward[1], outward[0], 0.0)
    pose[:3, 3] = middle_m + (distance + THICKNESS_M / 2) * outward
    pose[2, 3] = height - WALL_SIDE_M / 2
    material = surface(rng, ranges.look, WALL_SIDE_M, config.texture_seeds, config.pictures)
    return Body("box", pose, material, ROOM, (THICKNESS_M, WALL_SIDE_M, WALL_SIDE_M))


def _furniture(
    seed: int,
    index: int,
    config: RandomizationConfig,
    support: Support,
    middle_m: np.ndarray,
    eyes: np.ndarray,
    seen: np.ndarray,
) -> list[Body]:
    ranges = config.room
    start, end = np.repeat(eyes, len(seen), axis=0), np.tile(seen, (len(eyes), 1))
    inner = float(np.hypot(*(seen - middle_m)[:, :2].T).max()) + 0.1
    pieces = []
    for number in range(count_within(stream(seed, index, "furniture"), ranges.furniture)):
        rng = stream(seed, index, f"furniture {number}")
        shape = SHAPES[int(rng.random() * len(SHAPES))]
        size = np.array([within(rng, ranges.furniture_m) for _ in range(3)])
        angle, far, yaw = rng.random((3, PLACES))
        reach = inner + np.hypot(size[0], size[1]) / 2 + 2.0 * far
        poses = np.tile(np.eye(4), (PLACES, 1, 1))
        cos, sin = np.cos(2 * np.pi * yaw), np.sin(2 * np.pi * yaw)
        poses[:, 0, 0], poses[:, 0, 1], poses[:, 1, 0], poses[:, 1, 1] = cos, -sin, sin, cos
        poses[:, 0, 3] = middle_m[0] + reach * np.cos(2 * np.pi * angle)
        poses[:, 1, 3] = middle_m[1] + reach * np.sin(2 * np.pi * angle)
        poses[:, 2, 3] = support.floor_m + size[2] / 2
        stopped = Boxes.of(poses, -size / 2 - 0.02, size / 2 + 0.02).stops(start, end).any(axis=1)
        free = np.flatnonzero(~stopped)
        if len(free):
            material = surface(rng, ranges.look, float(size.max()), config.texture_seeds)
            scale = (float(size[0]), float(size[1]), float(size[2]))
            pieces.append(Body(shape, poses[free[0]], material, ROOM, scale))
    return pieces
