"""The block's frame on /tf, where `tf2_ros` is installed; it is not among the wheels."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import Header

from perception.estimate import BlockEstimate
from perception.nodes.messages import block_in_base, pose_message

try:
    from tf2_ros import TransformBroadcaster
except ImportError:
    TransformBroadcaster = None

DESCRIPTION = "the block is broadcast" if TransformBroadcaster else "not broadcast: tf2_ros is not installed"


class Broadcaster:
    """Sends base -> block of each estimate."""

    def __init__(self, node: Node, child_frame: str) -> None:
        self._child_frame = child_frame
        self._broadcaster: Any = TransformBroadcaster(node) if TransformBroadcaster else None

    def send(self, estimate: BlockEstimate, header: Header) -> None:
        """Broadcast an estimate; header: the stamp, and the base as its frame."""
        if self._broadcaster is None:
            return
        pose = pose_message(block_in_base(estimate))
        message = TransformStamped(header=header, child_frame_id=self._child_frame)
        message.transform.translation.x = pose.position.x
        message.transform.translation.y = pose.position.y
        message.transform.translation.z = pose.position.z
        message.transform.rotation = pose.orientation
        self._broadcaster.sendTransform(message)
