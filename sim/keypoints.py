"""The points that networks learn to find, where they are in a shot, and whether they can be seen there.

A channel has one point, or two that look alike and share the channel (the ends of the block, the finger tips).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.optics import to_image
from sim.renderers import Frame, Shot
from sim.robots import Keypoint, Place, RobotDescription
from sim.scene import BLOCK, ROBOT, Scene, View

Task = Literal["coarse", "tool", "fine"]
MOST_POINTS = 2
OUTSIDE, OCCLUDED, VISIBLE = 0, 1, 2

HIDING_M = 0.02  # what is nearer than a point by more than this, and is not its own body, hides it


@dataclass(frozen=True)
class Channel:
    """One heat map: a point of the robot given as (link, xyz in that link, metres), or a point of the block."""

    name: str
    kind: Literal["robot", "block"]
    places: tuple[Place, ...] = ()
    modes: int = 1


CLAMP = Channel("clamp", "robot", (("clamp", (0.0, 0.0, 0.0)),))
BLOCK_CHANNELS = (Channel("block_centre", "block"), Channel("block_ends", "block", modes=2))


def channels(task: Task, description: RobotDescription) -> tuple[Channel, ...]:
    """The heat maps of a task: the robot's overview or close-up keypoints and the block's; for tool the clamp."""
    if task == "tool":
        return (CLAMP,)
    keypoints = description.close_up if task == "fine" else description.overview
    return (*(_of_robot(keypoint) for keypoint in keypoints), *BLOCK_CHANNELS)


@dataclass(frozen=True, eq=False)
class Points:
    """Where the points of K channels are in one scene: xyz (K, 2, 3) in the base frame, m; labels (K, 1) of the bodies
    that they belong to. A channel of one point repeats it."""

    xyz: np.ndarray
    labels: np.ndarray


def points_of(channels: tuple[Channel, ...], scene: Scene, description: RobotDescription) -> Points:
    """The points of every channel in a scene."""
    centre, ends = scene.block.points()
    poses = description.robot.link_poses(scene.joints)
    xyz = np.empty((len(channels), MOST_POINTS, 3))
    for row, channel in zip(xyz, channels, strict=True):
        if channel.kind == "block":
            row[:] = ends if channel.modes == MOST_POINTS else centre
        else:
            row[:] = [poses[link][:3, :3] @ np.array(place) + poses[link][:3, 3] for link, place in channel.places]
    labels = np.array([BLOCK if channel.kind == "block" else ROBOT for channel in channels])
    return Points(xyz, labels[:, None])


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


def _of_robot(keypoint: Keypoint) -> Channel:
    return Channel(keypoint.name, "robot", keypoint.places, len(keypoint.places))
