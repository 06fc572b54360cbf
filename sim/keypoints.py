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


def locate(
    channels: tuple[Channel, ...], scene: Scene, shot: Shot, description: RobotDescription, view: View | None = None
) -> np.ndarray:
    """Pixels (K, 2, 2) of every channel's points in the shot (K channels, at most two points, u and v).

    Through the lens of `view`, or through the shot's pinhole without one. A channel of one point repeats it; points
    outside the shot keep their place outside; points behind the camera are NaN.
    """
    pixels = shot.camera.project(_points(channels, scene, description))[0]
    return shot.from_image(pixels if view is None else to_image(view, pixels))


def visibility(
    channels: tuple[Channel, ...],
    scene: Scene,
    shot: Shot,
    description: RobotDescription,
    frame: Frame,
    view: View | None = None,
) -> np.ndarray:
    """(K, 2) uint8 for the points of `locate`: 0 outside the shot, 1 occluded, 2 visible; `frame` is the shot's.

    Judged by the label and depth of the pixel that the point falls into. Robot points mostly lie inside the robot
    (joint axes), and the block's on its bottom face, so a point is visible where the pixel shows its own body, the
    robot or the block, whatever part of it. Elsewhere it is visible unless what is there is nearer than the point by
    more than HIDING_M: the clamp, for one, is seen in the gap between the fingers.
    """
    points = _points(channels, scene, description)
    pixels, depth = shot.camera.project(points)
    pixels = shot.from_image(pixels if view is None else to_image(view, pixels))
    inside = (
        np.isfinite(pixels).all(axis=-1)
        & (depth > 0)
        & (pixels >= 0).all(axis=-1)
        & (pixels < (shot.width, shot.height)).all(axis=-1)
    )
    columns, rows = np.where(inside[..., None], pixels, 0.0).astype(int).transpose(2, 0, 1)
    own = np.array([BLOCK if channel.kind == "block" else ROBOT for channel in channels])[:, None]
    seen = (frame.segmentation[rows, columns] == own) | (frame.depth[rows, columns] > depth - HIDING_M)
    return np.where(inside, np.where(seen, VISIBLE, OCCLUDED), OUTSIDE).astype(np.uint8)


def _of_robot(keypoint: Keypoint) -> Channel:
    return Channel(keypoint.name, "robot", keypoint.places, len(keypoint.places))


def _points(channels: tuple[Channel, ...], scene: Scene, description: RobotDescription) -> np.ndarray:
    """(K, 2, 3) places in the base frame."""
    centre, ends = scene.block.points()
    poses = description.robot.link_poses(scene.joints)
    points = np.empty((len(channels), MOST_POINTS, 3))
    for row, channel in zip(points, channels, strict=True):
        if channel.kind == "block":
            row[:] = ends if channel.modes == MOST_POINTS else centre
        else:
            row[:] = [poses[link][:3, :3] @ np.array(xyz) + poses[link][:3, 3] for link, xyz in channel.places]
    return points
