"""The room: walls and furniture around the bench, none of it between a camera and what it looks at."""

from dataclasses import dataclass

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
FARTHEST_M = 2.0  # from the nearest place where a piece of furniture might stand
PLACES = 8
MOUNT_M, MOUNT_TOP_M = 0.02, (0.0005, 0.006)  # thickness of a robot's plate, and its top above the plane of the base
MOUNT_OFF_M = 0.04  # standard deviation, per axis, of its middle from the base's
SHAPES = ("box", "box", "box", "cylinder")


@dataclass(frozen=True, eq=False)
class Sight:
    """middle (3,): of the bench, on the support. eyes (V, 3): the cameras. seen (P, 3): what they look at. All m."""

    middle: np.ndarray
    eyes: np.ndarray
    seen: np.ndarray


def sample_room(
    seed: int, index: int, config: RandomizationConfig, support: Support, sight: Sight
) -> tuple[Body, ...]:
    """Walls and furniture around the bench, and what the robot is mounted on."""
    return (
        *_walls(seed, index, config, sight),
        *_furniture(seed, index, config, support, sight),
        *_mount(seed, index, config),
    )


def _mount(seed: int, index: int, config: RandomizationConfig) -> list[Body]:
    """A thin plate under the robot's base, roughly in its middle."""
    rng, ranges = stream(seed, index, "mount"), config.room
    there = happens(rng, ranges.mount_share)
    sides, off, turn = [within(rng, ranges.mount_m) for _ in range(2)], rng.normal(0, MOUNT_OFF_M, 2), rng.random()
    top = within(rng, MOUNT_TOP_M)
    if not there:
        return []
    angle = np.pi / 12 * (2 * turn - 1)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    pose = np.array([(cos, -sin, 0, off[0]), (sin, cos, 0, off[1]), (0, 0, 1, top - MOUNT_M / 2), (0, 0, 0, 1.0)])
    material = surface(rng, ranges.look, max(sides), config.textures, config.pictures)
    return [Body("box", pose, material, ROOM, (sides[0], sides[1], MOUNT_M))]


def _walls(seed: int, index: int, config: RandomizationConfig, sight: Sight) -> list[Body]:
    """Up to four walls, each with its inner face behind all cameras and all that they look at."""
    rng, ranges = stream(seed, index, "walls"), config.room
    turn = 2 * np.pi * rng.random()
    drawn = [
        (happens(rng, ranges.wall_share), within(rng, ranges.wall_m), within(rng, ranges.wall_height_m))
        for _ in range(4)
    ]
    kept_free = np.concatenate([sight.eyes, sight.seen]) - sight.middle
    walls = []
    for number, (there, distance, height) in enumerate(drawn):
        if there:
            angle = turn + number * np.pi / 2
            cos, sin = float(np.cos(angle)), float(np.sin(angle))
            distance = (
                max(distance, float((kept_free @ (cos, sin, 0.0)).max()) + CAMERA_GAP_M) + THICKNESS_M / 2
            )
            pose = np.array([(cos, -sin, 0, 0), (sin, cos, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1.0)])
            pose[:3, 3] = sight.middle + np.array([distance * cos, distance * sin, height - WALL_SIDE_M / 2])
            material = surface(rng, ranges.look, WALL_SIDE_M, config.textures, config.pictures)
            walls.append(Body("box", pose, material, ROOM, (THICKNESS_M, WALL_SIDE_M, WALL_SIDE_M)))
    return walls


def _furniture(
    seed: int, index: int, config: RandomizationConfig, support: Support, sight: Sight
) -> list[Body]:
    """Cupboards, boxes and posts on the floor where they hide nothing; those without a place are left out."""
    rng, ranges = stream(seed, index, "furniture"), config.room
    count = count_within(rng, ranges.furniture)
    if count == 0:
        return []
    start = np.repeat(sight.eyes, len(sight.seen), axis=0)
    end = np.tile(sight.seen, (len(sight.eyes), 1))
    inner = float(np.hypot(*(sight.seen - sight.middle)[:, :2].T).max()) + 0.1
    sizes, poses = [], np.zeros((count, PLACES, 4, 4))
    for number in range(count):
        size = [within(rng, ranges.furniture_m) for _ in range(3)]
        angle, far, yaw = rng.random((3, PLACES))
        reach = inner + np.hypot(size[0], size[1]) / 2 + FARTHEST_M * far
        cos, sin = np.cos(2 * np.pi * yaw), np.sin(2 * np.pi * yaw)
        place = poses[number]
        place[:, 0, 0], place[:, 0, 1], place[:, 1, 0], place[:, 1, 1] = cos, -sin, sin, cos
        place[:, 2, 2] = place[:, 3, 3] = 1.0
        place[:, 0, 3] = sight.middle[0] + reach * np.cos(2 * np.pi * angle)
        place[:, 1, 3] = sight.middle[1] + reach * np.sin(2 * np.pi * angle)
        place[:, 2, 3] = support.floor_m + size[2] / 2
        sizes.append(size)
    half = np.repeat(np.array(sizes) / 2 + 0.02, PLACES, axis=0)
    every = poses.reshape(-1, 4, 4)
    hides = (
        Boxes(every[:, :3, 3], every[:, :3, :3], half).stops(start, end).any(axis=1).reshape(count, PLACES)
    )
    pieces = []
    for size, places, hidden in zip(sizes, poses, hides, strict=True):
        shape = SHAPES[int(rng.random() * len(SHAPES))]
        material = surface(rng, ranges.look, max(size), config.textures)
        if not hidden.all():
            pieces.append(
                Body(shape, places[int(hidden.argmin())], material, ROOM, (size[0], size[1], size[2]))
            )
    return pieces
