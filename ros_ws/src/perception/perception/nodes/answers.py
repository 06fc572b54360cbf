"""What the localizer publishes of an estimate: itself, its pose, markers, TF, overlays, and the images used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from perception_interfaces.msg import BlockEstimate as BlockEstimateMessage
from perception_interfaces.msg import ToolEstimate as ToolEstimateMessage
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from perception.estimate import BlockEstimate, ToolEstimate
from perception.nodes import frames, messages
from perception.nodes.inputs import StampedView
from perception.nodes.markers import markers
from perception.tracking import Start


@dataclass(frozen=True)
class Answer:
    """What was made of views: the tool in each image, the block, None for stage `tool`, and a picture by camera. start:
    where the block was before, for one that was followed from a keyframe, None for one that was looked for anew."""

    views: Sequence[StampedView]
    tools: Sequence[ToolEstimate]
    estimate: BlockEstimate | None
    pictures: dict[str, np.ndarray]
    start: Start | None = None


class Answers:
    """The publishers of the localizer, which exist from `configure` to `cleanup`."""

    def __init__(
        self, node: LifecycleNode, cameras: Sequence[str], base_frame: str, clamp_frame: str, tf: frames.Broadcaster
    ) -> None:
        self._node, self._tf = node, tf
        self._base_frame, self._clamp_frame = base_frame, clamp_frame
        kinds: dict[str, tuple[type, str]] = {
            "estimate": (BlockEstimateMessage, "~/estimate"),
            "pose": (PoseWithCovarianceStamped, "~/pose"),
            "markers": (MarkerArray, "~/markers"),
            "tool": (ToolEstimateMessage, "~/tool"),
            **{f"overlay {camera}": (Image, f"~/overlay/{camera}") for camera in cameras},
            **{f"used {camera}": (Image, f"~/used/{camera}") for camera in cameras},
        }
        self._publishers: dict[str, Any] = {
            name: node.create_lifecycle_publisher(kind, topic, 10) for name, (kind, topic) in kinds.items()
        }

    def destroy(self) -> None:
        """Take all publishers away."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def wants_overlay(self, camera: str) -> bool:
        """Whether somebody looks at the overlays of a camera."""
        return bool(self._publishers[f"overlay {camera}"].get_subscription_count())

    def publish(self, answer: Answer, keyframe_ns: Sequence[int] = ()) -> BlockEstimateMessage:
        """Publish all that somebody may want; returns the message of the estimate, empty where there is none.

        keyframe_ns: stamps of the images of the keyframe, for an answer with a start.
        """
        views = answer.views
        for entry, tool in zip(views, answer.tools, strict=False):
            self._publishers["tool"].publish(messages.tool_message(tool, _optical_header(entry)))
        for entry in views:
            used = self._publishers[f"used {entry.view.camera}"]
            if used.get_subscription_count() > 0:
                used.publish(entry.message)
        if answer.estimate is None:
            return BlockEstimateMessage(stage="tool", views=[entry.view.camera for entry in views])
        estimate = answer.estimate
        frame_id = self._clamp_frame if estimate.frame == "clamp" else self._base_frame
        plain, stamps_ns = [entry.view for entry in views], [entry.stamp_ns for entry in views]
        message = messages.block_message(estimate, plain, stamps_ns, frame_id, answer.start, keyframe_ns)
        in_base = Header(stamp=message.header.stamp, frame_id=self._base_frame)
        self._publishers["estimate"].publish(message)
        self._publishers["pose"].publish(messages.pose_with_covariance(message))
        self._publishers["markers"].publish(markers(estimate, in_base))
        self._tf.send(estimate, in_base)
        first = {entry.view.camera: entry for entry in reversed(views)}
        for camera, picture in answer.pictures.items():
            overlay = messages.image_message(picture, _optical_header(first[camera]))
            self._publishers[f"overlay {camera}"].publish(overlay)
        return message


def _optical_header(entry: StampedView) -> Header:
    """Of the image, in the camera's own frame where its driver names one."""
    frame_id = entry.message.header.frame_id or f"{entry.view.camera}_optical_frame"
    return Header(stamp=messages.time_message(entry.stamp_ns), frame_id=frame_id)
