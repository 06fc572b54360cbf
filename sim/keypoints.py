"""The points that networks learn to find, where they are in a shot, and whether they can be seen there.

A channel has one point, or two that look alike and share the channel (the ends of the block, the finger tips). The
block looks the same when it is turned by half a turn about its vertical axis, so its corners come in pairs too.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.optics import to_image
from sim.renderers import Frame, Shot
from sim.robots import Place, RobotDescription
from sim.scene import BLOCK, ROBOT, Scene, View

Task = Literal["coarse", "tool", "fine", "block"]
MOST_POINTS = 2
OUTSIDE, OCCLUDED, VISIBLE = 0, 1, 2

HIDING_M = 0.02  # what is nearer than a point by more than this, and is not its own body, hides it


@dataclass(frozen=True)
class Channel:
    """One heat map of one or two points: of the robot, given as (link, xyz in that link, metres), or of the block,
    given as ("block", xyz in units of its length, width and height from the centre of its bottom face)."""

    name: str
    kind: Literal["robot", "block"]
    places: tuple[Place, ...]

    @property
    def modes(self) -> int:
        """How many points it shows."""
        return len(self.places)


def _half_turn(name: str, x: float, y: float, z: float) -> Channel:
    """A point of the block and the one that half a turn brings to its place."""
    return Channel(name, "block", (("block", (x, y, z)), ("block", (-x, -y, z))))


BLOCK_CHANNELS = (
    Channel("block_centre", "block", (("block", (0.0, 0.0, 0.0)),)),
    Channel("block_top", "block", (("block", (0.0, 0.0, 1.0)),)),
    _half_turn("block_ends", 0.5, 0.0, 0.0),
    _half_turn("block_foot_a", 0.5, 0.5, 0.0),
    _half_turn("block_foot_b", 0.5, -0.5, 0.0),
    _half_turn("block_roof_a", 0.5, 0.5, 1.0),
    _half_turn("block_roof_b", 0.5, -0.5, 1.0),
)

CORNER_CHANNELS = (
    *BLOCK_CHANNELS[:2],
    *(
        Channel(f"block_{level}_{side}_{edge}", "block", (("block", (x, y, z)),))
        for z, level in ((0.0, "foot"), (1.0, "roof"))
        for x, side in ((-0.5, "left"), (0.5, "right"))
        for y, edge in ((-0.5, "near"), (0.5, "far"))
    ),
)
"""Of a picture that is turned such that the block's x axis points to the right: there, half a turn is no doubt."""


def channels(task: Task, description: RobotDescription) -> tuple[Channel, ...]:
    """The heat maps of a task: the robot's overview or close-up keypoints, and the block's unless the task is tool; for
    block the block's alone, its corners one by one."""
    if task == "block":
        return CORNER_CHANNELS
    keypoints = description.close_up if task == "fine" else description.overview
    block = () if task == "tool" else BLOCK_CHANNELS
    return (*(Channel(one.name, "robot", one.places) for one in keypoints), *block)


@dataclass(frozen=True, eq=False)
class Points:
    """Where the points of K channels are in one scene: xyz (K, 2, 3) in the base frame, m, NaN of what is absent;
    labels (K, 1) of the bodies that they belong to. A channel of one point repeats it."""

    xyz: np.ndarray
    labels: np.ndarray


def points_of(channels: tuple[Channel, ...], scene: Scene, description: RobotDescription) -> Points:
    """The points of every channel in a scene."""
    poses = description.robot.link_poses(scene.joints)
    poses["block"] = scene.block.T_base_block @ np.diag([*scene.block.size_m, 1.0])
    labels = np.array([BLOCK if channel.kind == "block" else ROBOT for channel in channels])
    xyz = placed(channels, poses)
    xyz[np.isin(labels, scene.absent)] = np.nan
    return Points(xyz, labels[:, None])


def placed(channels: tuple[Channel, ...], poses: dict[str, np.ndarray]) -> np.ndarray:
    """(K, 2, 3) places of the channels' points, given the poses (4, 4) of what they are on; "block" is that of the
    block scaled by its size. A channel of one point repeats it."""
    xyz = np.empty((len(channels), MOST_POINTS, 3))
    for row, channel in zip(xyz, channels, strict=True):
        row[:] = [poses[link][:3, :3] @ np.array(place) + poses[link][:3, 3] for link, place in channel.places]
    return xyz


def locate(points: Points, shot: Shot, view: View | None = None) -> np.ndarray:
    """Pixels (K, 2, 2) of the points in the shot (K channels, two points, u and v).

    Through the lens of `view`, or through the shot's pinhole without one. Points outside the shot keep their place
    outside; points behind the camera are NaN.
    """
    return _projected(points, shot, view)[0]


def visibility(points: Points, shot: Shot, frame: Frame, view: View | None = None) -> np.ndarray:
    """(K, 2) uint8 for the points of `locate`: 0 outside the shot, 1 occluded, 2 visible; `frame` is the shot's.

    Judged by the label and depth of the pixel that the point falls into. Robot points mostly lie inside the robot
    (joint axes), and the block's on its bottom face, so a point is visible where the pixel shows its own body, the
    robot or the block, whatever part of it. Elsewhere it is visible unless what is there is nearer than the point by
    more than HIDING_M: the clamp, for one, is seen in the gap between the fingers.
    """
    pixels, depth = _projected(points, shot, view)
    inside = (
        np.isfinite(pixels).all(axis=-1)
        & (depth > 0)
        & (pixels >= 0).all(axis=-1)
        & (pixels < (shot.width, shot.height)).all(axis=-1)
    )
    columns, rows = np.where(inside[..., None], pixels, 0.0).astype(int).transpose(2, 0, 1)
    seen = (frame.segmentation[rows, columns] == points.labels) | (frame.depth[rows, columns] > depth - HIDING_M)
    return np.where(inside, np.where(seen, VISIBLE, OCCLUDED), OUTSIDE).astype(np.uint8)


def _projected(points: Points, shot: Shot, view: View | None) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (K, 2, 2) in the shot, and distances (K, 2) along the optical axis, m."""
    pixels, depth = shot.camera.project(points.xyz)
    return shot.from_image(pixels if view is None else to_image(view, pixels)), depth
