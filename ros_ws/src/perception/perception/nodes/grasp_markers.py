"""Markers of transferred grasps for RViz: the hand's boxes at each, green at the best, and the object's points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from perception.hand import Hand
from perception.nodes.messages import pose_message

MOST_POINTS = 5000  # of the object that are shown
POINT_M = 0.002
BEST, OTHERS, OBJECT = (0.1, 0.8, 0.3, 0.9), (0.6, 0.6, 0.6, 0.25), (0.2, 0.5, 1.0, 1.0)


def grasp_markers(
    points: np.ndarray, grasps: Sequence[tuple[np.ndarray, float]], hand: Hand, header: Header
) -> MarkerArray:
    """Markers of an object's points (N, 3) and of grasps, best first, each a T_frame_clamp (4, 4) and the hand's
    opening in m; they replace all that were shown before."""
    shown = points[:: -(-len(points) // MOST_POINTS)]
    cloud = _marker(header, "object", 0, Marker.POINTS, OBJECT)
    cloud.pose.orientation.w = 1.0
    cloud.scale.x = cloud.scale.y = POINT_M
    cloud.points = [Point(x=x, y=y, z=z) for x, y, z in shown.tolist()]
    markers = [Marker(header=header, action=Marker.DELETEALL), cloud]
    for number, (T_frame_clamp, opening_m) in enumerate(grasps):
        for part, (low, high) in enumerate(hand.boxes(opening_m)):
            box = _marker(header, f"grasp {number}", part, Marker.CUBE, OTHERS if number else BEST)
            T_clamp_box = np.eye(4)
            T_clamp_box[:3, 3] = (low + high) / 2
            box.pose = pose_message(T_frame_clamp @ T_clamp_box)
            box.scale.x, box.scale.y, box.scale.z = (high - low).tolist()
            markers.append(box)
    return MarkerArray(markers=markers)


def _marker(
    header: Header, namespace: str, number: int, kind: int, colour: tuple[float, float, float, float]
) -> Marker:
    marker = Marker(header=header, ns=namespace, id=number, type=kind, action=Marker.ADD)
    marker.color = ColorRGBA(r=colour[0], g=colour[1], b=colour[2], a=colour[3])
    return marker
