"""Writes rosbag2 recordings as the demo's recorder does: MCAP with the definitions of its messages."""

from pathlib import Path

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from perception.estimate import BlockEstimate
from perception.localize import View
from perception.robot import Robot

INTERFACES = Path(__file__).resolve().parents[1] / "ros_ws" / "src" / "perception_interfaces" / "msg"


def typestore():
    """ROS 2's own messages and those of perception_interfaces."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in ("Posterior", "PoseMode", "ViewEvidence", "BlockEstimate"):
        definition = (INTERFACES / f"{name}.msg").read_text()
        store.register(get_types_from_msg(definition, f"perception_interfaces/msg/{name}"))
    return store


class Recorder:
    """A bag that is open for writing; use it as a context."""

    def __init__(self, folder: Path) -> None:
        self.store = typestore()
        self.types = self.store.types
        self.writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self.topics = {}

    def __enter__(self):
        self.writer.open()
        return self

    def __exit__(self, *_):
        self.writer.close()

    def image(self, view: View, encoding: str = "rgb8") -> None:
        """The view's image on the topic of its camera."""
        picture = view.image[..., ::-1] if encoding == "bgr8" else view.image
        height, width = picture.shape[:2]
        message = self.types["sensor_msgs/msg/Image"](
            self._header(view.stamp_s), height, width, encoding, 0, 3 * width, np.ravel(picture)
        )
        self._write(f"/{view.camera}/image_raw", message, view.stamp_s)

    def joints(self, view: View) -> None:
        """The joint positions of the view."""
        empty = np.zeros(0)
        message = self.types["sensor_msgs/msg/JointState"](
            self._header(view.stamp_s), list(Robot.load().joint_names), view.joints, empty, empty
        )
        self._write("/joint_states", message, view.stamp_s)

    def estimate(self, estimate: BlockEstimate, views: list[View]) -> None:
        """The estimate, as the localizer node tells of it."""
        pose = self._pose(estimate.x_m, estimate.y_m, estimate.z_m, estimate.yaw_rad)
        with_covariance = self.types["geometry_msgs/msg/PoseWithCovariance"](pose, np.zeros(36))
        posterior = self.types["perception_interfaces/msg/Posterior"]
        mode, evidence = (self.types[f"perception_interfaces/msg/{name}"] for name in ("PoseMode", "ViewEvidence"))
        marginals = [posterior(one.centres, one.probabilities) for one in (estimate.x, estimate.y, estimate.yaw)]
        message = self.types["perception_interfaces/msg/BlockEstimate"](
            self._header(estimate.stamp_s),
            estimate.stage,
            with_covariance,
            *marginals,
            [view.camera for view in views],
            self._pose(0.0, 0.0, 0.0, 0.0),
            [self._time(view.stamp_s) for view in views],
            np.concatenate([view.joints for view in views]),
            estimate.engine,
            self.types["geometry_msgs/msg/Vector3"](*estimate.size_m),
            estimate.confidence,
            [mode(*one.mean, one.weight, one.covariance.ravel()) for one in estimate.modes],
            [evidence(one.camera, one.robot, one.block, one.used, one.doubt) for one in estimate.evidence],
            list(estimate.doubts),
            [],
            np.zeros(0),
        )
        self._write("/localizer/estimate", message, estimate.stamp_s)

    def _time(self, stamp_s):
        seconds, nanoseconds = divmod(round(stamp_s * 1e9), 10**9)
        return self.types["builtin_interfaces/msg/Time"](seconds, nanoseconds)

    def _header(self, stamp_s):
        return self.types["std_msgs/msg/Header"](self._time(stamp_s), "panda_link0")

    def _pose(self, x_m, y_m, z_m, yaw_rad):
        point = self.types["geometry_msgs/msg/Point"](x_m, y_m, z_m)
        half = yaw_rad / 2
        turn = self.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, np.sin(half), np.cos(half))
        return self.types["geometry_msgs/msg/Pose"](point, turn)

    def _write(self, topic, message, stamp_s):
        kind = message.__msgtype__
        if topic not in self.topics:
            self.topics[topic] = self.writer.add_connection(topic, kind, typestore=self.store)
        self.writer.write(self.topics[topic], round(stamp_s * 1e9), self.store.serialize_cdr(message, kind))
