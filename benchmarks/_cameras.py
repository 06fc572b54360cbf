"""A process that stands for camera drivers and a robot: publishes pictures and joint states at their rates.

    python benchmarks/_cameras.py FOLDER --rate 30 --joint-rate 100

FOLDER holds for each camera NAME.npy, pictures (P, N, H, W, 3) uint8 of P scenes, and joints.json with names and, for
each scene, positions. A scene lasts for some seconds, in which its N pictures are shown in turn. Each camera has a
timer and a stamp of its own: nothing triggers them together. Every message is made beforehand and only its stamp is
set, as a driver in C++ would cost no more.
"""

import argparse
import json
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception.nodes.messages import image_message
from perception.nodes.transport import make_room_for_images


class Cameras(Node):
    """Publishes until it is told to end."""

    def __init__(self, folder: Path, rate_hz: float, joint_rate_hz: float, scene_s: float) -> None:
        super().__init__("cameras")
        self._scene_s, self._began_s = scene_s, time.monotonic()
        profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        for path in sorted(folder.glob("*.npy")):
            header = Header(frame_id=f"{path.stem}_optical_frame")
            scenes = [
                cycle([image_message(picture, header) for picture in pictures])
                for pictures in np.load(path, allow_pickle=False)
            ]
            publisher = self.create_publisher(Image, f"{path.stem}/image_raw", profile)
            self.create_timer(1.0 / rate_hz, lambda p=publisher, s=scenes: self._publish(p, next(self._now(s))))
        joints = json.loads((folder / "joints.json").read_text(encoding="utf-8"))
        states = [JointState(name=joints["names"], position=positions) for positions in joints["positions"]]
        publisher = self.create_publisher(JointState, "joint_states", 10)
        self.create_timer(1.0 / joint_rate_hz, lambda p=publisher: self._publish(p, self._now(states)))

    def _now(self, scenes: list[Any]) -> Any:
        """What belongs to the scene that it is time for."""
        return scenes[int((time.monotonic() - self._began_s) / self._scene_s) % len(scenes)]

    def _publish(self, publisher: Any, message: Any) -> None:
        message.header.stamp = self.get_clock().now().to_msg()
        publisher.publish(message)


def main() -> None:
    """Publish what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=float, default=30.0)
    parser.add_argument("--joint-rate", type=float, default=100.0)
    parser.add_argument("--scene-s", type=float, default=10.0)
    options = parser.parse_args()
    make_room_for_images()
    rclpy.init()
    try:
        rclpy.spin(Cameras(options.folder, options.rate, options.joint_rate, options.scene_s))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
