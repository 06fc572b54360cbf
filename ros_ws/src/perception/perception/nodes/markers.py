"""Markers of an estimate for RViz: the block, its long axis, and how sure its place is."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from perception.estimate import BlockEstimate
from perception.nodes.messages import block_in_base, pose_message

SIGMAS = 2.0
COLOURS = {"coarse": (1.0, 0.6, 0.1), "fine": (0.1, 0.8, 0.3)}


def markers(estimate: BlockEstimate, header: Header) -> MarkerArray:
    """Box, arrow along the long axis and 2-sigma ellipse of an estimate, in the base frame."""
    T_base_block = block_in_base(estimate)
    length_m, width_m, height_m = estimate.size_m
    colour = COLOURS[estimate.stage]
    box = _marker(header, estimate.stage, 0, Marker.CUBE, colour, 0.5)
    raised = T_base_block.copy()
    raised[2, 3] += height_m / 2
    box.pose = pose_message(raised)
    box.scale.x, box.scale.y, box.scale.z = length_m, width_m, height_m

    arrow = _marker(header, estimate.stage, 1, Marker.ARROW, colour, 1.0)
    arrow.pose = pose_message(T_base_block)
    arrow.points = [Point(z=height_m), Point(x=length_m, z=height_m)]
    arrow.scale.x, arrow.scale.y, arrow.scale.z = 0.006, 0.014, 0.02

    ellipse = _marker(header, estimate.stage, 2, Marker.CYLINDER, (0.2, 0.4, 1.0), 0.4)
    pose, axes_m = ellipse_of(estimate)
    ellipse.pose = pose_message(pose)
    ellipse.scale.x, ellipse.scale.y, ellipse.scale.z = float(axes_m[0]), float(axes_m[1]), 0.002
    return MarkerArray(markers=[box, arrow, ellipse])


def ellipse_of(estimate: BlockEstimate) -> tuple[np.ndarray, np.ndarray]:
    """Pose (4, 4) in base and full axes (2,) in m of the ellipse of 2 sigma of the place on the plane."""
    turn = estimate.T_base_frame[:2, :2]  # the frame is level, so this is a rotation or a reflection
    values, vectors = np.linalg.eigh(turn @ estimate.covariance[:2, :2] @ turn.T)
    pose = np.eye(4)
    major = vectors[:, 1]
    pose[:2, :2] = np.array([[major[0], -major[1]], [major[1], major[0]]])
    pose[:3, 3] = block_in_base(estimate)[:3, 3]
    return pose, 2.0 * SIGMAS * np.sqrt(np.maximum(values[::-1], 0.0))


def _marker(
    header: Header, namespace: str, number: int, kind: int, colour: tuple[float, float, float], alpha: float
) -> Marker:
    marker = Marker(header=header, ns=namespace, id=number, type=kind, action=Marker.ADD)
    marker.color = ColorRGBA(r=colour[0], g=colour[1], b=colour[2], a=alpha)
    return marker
