"""Cameras and joints of a still robot, published by a test, well or badly."""

from collections.abc import Sequence

import numpy as np
from fixtures_world import MarkerWorld
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception.nodes.messages import image_message, time_message

CAMERAS = ["camera_1", "camera_2"]


class Feed:
    """Publishes pictures and joint states of a still world by timers, until `stop`; its fields may be changed.

    cameras: those that publish. encoding, names, joints: as they stand in the messages. shift_ns: added to all stamps.
    """

    def __init__(
        self,
        client,
        pictures: dict[str, np.ndarray] | None = None,
        joints: Sequence[float] | None = None,
        rate_hz: float = 5.0,
        depth: int = 1,
    ) -> None:
        self.world = MarkerWorld()
        self.client = client
        self.joints = list(self.world.joint_positions() if joints is None else joints)
        self.names = list(self.world.joint_names)
        self.encoding = "rgb8"
        self.shift_ns = 0
        self.pictures = pictures or {camera: self.world.image(camera) for camera in CAMERAS}
        self.cameras = list(self.pictures)
        reliable = QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)
        publish = client.node.create_publisher
        self.images = {name: publish(Image, f"/{name}/image_raw", reliable) for name in self.pictures}
        self.states = publish(JointState, "/joint_states", max(10, depth))
        self._timer = client.node.create_timer(1.0 / rate_hz, self.publish)

    def stop(self) -> None:
        """Publish nothing more."""
        self._timer.cancel()

    def go_on(self) -> None:
        """Publish again."""
        self._timer.reset()

    def now_ns(self) -> int:
        """The stamp of what is published now."""
        return self.client.node.get_clock().now().nanoseconds + self.shift_ns

    def publish(self) -> None:
        """One picture of each camera, and the joint state of the same time."""
        header = Header(stamp=time_message(self.now_ns()))
        self.states.publish(JointState(header=header, name=self.names, position=self.joints))
        for camera in self.cameras:
            message = image_message(self.pictures[camera], header)
            message.encoding = self.encoding
            self.images[camera].publish(message)


def localizer_parameters(models, **more) -> dict:
    """For a localizer under a feed."""
    return {"models": str(models), "cameras": CAMERAS, "reliable_inputs": True, "timeout_s": 30.0, **more}


class Diagnosed:
    """What the diagnostics say, by the name of the part."""

    def __init__(self, client) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        self._client = client
        self._parts: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        client.node.create_subscription(DiagnosticArray, "/diagnostics", self._keep, 10)

    def _keep(self, array) -> None:
        for status in array.status:
            values = {pair.key: pair.value for pair in status.values}
            self._parts[status.name] = (status.level, status.message, values)

    def message(self, part: str) -> str:
        """The message of a part, "" before the first."""
        return self._parts[part][1] if part in self._parts else ""

    def values(self, part: str) -> dict[str, str]:
        """Its values."""
        return self._parts[part][2] if part in self._parts else {}

    def says(self, part: str, text: str, timeout_s: float = 30.0) -> bool:
        """Whether the message of a part has a text, soon."""
        return self._client.spin_until(lambda: text in self.message(part), timeout_s)

    def counts(self, part: str, key: str, timeout_s: float = 30.0, least: int = 1) -> bool:
        """Whether a value of a part comes to a number, soon."""
        return self._client.spin_until(lambda: int(self.values(part).get(key) or 0) >= least, timeout_s)
