"""The points that networks learn to find, and where they are in a shot.

A channel has one point, or two that look alike and share the channel (the ends of the block, the finger tips).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.robot import Robot
from sim.renderers import Shot
from sim.scene import Scene

Place = tuple[str, tuple[float, float, float]]
MOST_POINTS = 2


@dataclass(frozen=True)
class Channel:
    """One heat map: a point of the robot given as (link, xyz in that link, metres), or a point of the block."""

    name: str
    kind: Literal["robot", "block"]
    places: tuple[Place, ...] = ()
    modes: int = 1


def _robot(name: str, *places: Place) -> Channel:
    return Channel(name, "robot", places, len(places))


CLAMP = _robot("clamp", ("clamp", (0.0, 0.0, 0.0)))
HAND = _robot("hand", ("panda_hand", (0.0, 0.0, 0.0)))
BLOCK = (Channel("block_centre", "block"), Channel("block_ends", "block", modes=2))

OVERVIEW = (
    _robot("base", ("panda_link0", (0.0, 0.0, 0.0))),
    _robot("base_rear", ("panda_link0", (-0.14, 0.0, 0.0))),
    _robot("base_right", ("panda_link0", (0.0, -0.09, 0.0))),
    _robot("base_left", ("panda_link0", (0.0, 0.09, 0.0))),
    _robot("shoulder", ("panda_link2", (0.0, 0.0, 0.0))),
    _robot("upper_arm", ("panda_link3", (0.0, 0.0, 0.0))),
    _robot("elbow", ("panda_link4", (0.0, 0.0, 0.0))),
    _robot("wrist", ("panda_link6", (0.0, 0.0, 0.0))),
    _robot("flange", ("panda_link7", (0.0, 0.0, 0.0))),
    HAND,
    CLAMP,
    *BLOCK,
)
CLOSE_UP = (
    CLAMP,
    HAND,
    _robot("flange", ("panda_link7", (0.0, 0.0, 0.0))),
    _robot(
        "finger_tips", ("panda_leftfinger", (0.0, 0.0, 0.0466)), ("panda_rightfinger", (0.0, 0.0, 0.0466))
    ),
    _robot("hand_ends", ("panda_hand", (0.0, 0.1, 0.03)), ("panda_hand", (0.0, -0.1, 0.03))),
    *BLOCK,
)
CHANNELS: dict[str, tuple[Channel, ...]] = {"coarse": OVERVIEW, "tool": (CLAMP,), "fine": CLOSE_UP}


def locate(channels: tuple[Channel, ...], scene: Scene, shot: Shot, robot: Robot) -> np.ndarray:
    """Pixels (K, 2, 2) of every channel's points in the shot (K channels, at most two points, u and v).

    A channel of one point repeats it; points outside the shot keep their place outside; points behind are NaN.
    """
    centre, ends = scene.block.points()
    poses = robot.link_poses(scene.joints)
    points = np.empty((len(channels), MOST_POINTS, 3))
    for row, channel in zip(points, channels, strict=True):
        if channel.kind == "block":
            row[:] = ends if channel.modes == MOST_POINTS else centre
        else:
            row[:] = [
                poses[link][:3, :3] @ np.array(xyz) + poses[link][:3, 3] for link, xyz in channel.places
            ]
    return shot.from_image(shot.camera.project(points)[0])
