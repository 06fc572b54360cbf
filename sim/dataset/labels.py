"""What a stored record says, as the simulator's own types."""

from typing import Any

import numpy as np

from perception.camera import Camera
from perception.robot import Robot
from sim.keypoints import Channel, placed
from sim.optics import to_image
from sim.renderers import Shot
from sim.scene import Lens, View

# Corners of a block's box in units of its size, bottom then top, and the edges between them.
CORNERS = np.array([(x, y, z) for z in (0.0, 1.0) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))])
EDGES = tuple((i, j) for i in range(8) for j in range(i + 1, 8) if np.abs(CORNERS[i] - CORNERS[j]).sum() == 1)


def view_of(record: dict[str, Any]) -> View:
    """The camera and its lens; what the sensor did is not stored."""
    camera, lens = record["camera"], record["camera"]["lens"]
    pinhole = Camera(camera["focal_px"], camera["width"], camera["height"], np.array(camera["T_camera_base"]))
    return View(pinhole, Lens(tuple(lens["shift_px"]), lens["k1"], lens["k2"]))


def shot_of(record: dict[str, Any]) -> Shot:
    """The part of the camera's image that is stored."""
    u0, v0, u1, v1 = record["window_px"]
    return Shot(view_of(record).camera, u0, v0, u1, v1, record["width"], record["height"])


def to_pixels(record: dict[str, Any], points_m: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of the stored image for points (..., 3) m of the base frame; NaN behind the camera."""
    view, shot = view_of(record), shot_of(record)
    return shot.from_image(to_image(view, view.camera.project(points_m)[0]))


def block_corners(record: dict[str, Any]) -> np.ndarray:
    """(8, 3) m, base frame, in the order of CORNERS."""
    pose = np.array(record["block"]["T_base_block"])
    return CORNERS * record["block"]["size_m"] @ pose[:3, :3].T + pose[:3, 3]


def channel_pixels(record: dict[str, Any], wanted: tuple[Channel, ...], robot: Robot) -> np.ndarray:
    """Pixels (K, 2, 2) of the stored image where the points of K channels are, whichever were stored; a channel of
    one point repeats it. NaN behind the camera, and for what is not in the scene."""
    joints = record["robot"]["joints"]
    poses = robot.link_poses(np.array([joints[name] for name in robot.joint_names]))
    block = record["block"]
    poses["block"] = np.array(block["T_base_block"]) @ np.diag([*block["size_m"], 1.0])
    xyz = placed(wanted, poses)
    xyz[[channel.kind in record.get("absent", ()) for channel in wanted]] = np.nan
    return to_pixels(record, xyz)
