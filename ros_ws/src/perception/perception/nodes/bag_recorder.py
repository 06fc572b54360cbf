"""The node `bag_recorder`: writes topics to a rosbag2 (MCAP) that any ROS 2 and `blockworld localize --bag` read.

Messages are stored as they came over the wire, with their definitions. Images come many times a second; of them
only those are kept that an estimate was made from, unless told otherwise. SIGINT and SIGTERM close the bag.
"""

from __future__ import annotations

import importlib
import os
import struct
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from perception_interfaces.msg import BlockEstimate
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from perception.errors import BlockworldError
from perception.node_parameters import BagRecorderParameters
from perception.nodes.messages import NANOSECONDS, stamp_ns
from perception.nodes.runtime import declare, run

IMAGE_TYPE = "sensor_msgs/msg/Image"
ESTIMATE_TYPE = "perception_interfaces/msg/BlockEstimate"
BAG_VERSION = 9  # of ROS 2 Jazzy
LOOK_S = 0.5
# Longer than any localization takes at a few images a second; an image of 640 x 480 is 0.9 MB.
IMAGES_WAITING = 40


class BagRecorder(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("bag_recorder")
        self._settings: BagRecorderParameters = declare(self, BagRecorderParameters)
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Any] = {}
        self._waiting: dict[str, deque[tuple[int, int, bytes]]] = {}
        self._wanted: set[tuple[str, int]] = set()
        self._writer = _open(self._settings.folder)
        self._look()
        self.create_timer(LOOK_S, self._look)

    def destroy_node(self) -> None:
        """Close the bag, then end the node."""
        self._writer.close()
        super().destroy_node()

    def _look(self) -> None:
        """Join the topics that have appeared."""
        for topic, kinds in self.get_topic_names_and_types():
            if topic not in self._settings.topics or topic in self._connections:
                continue
            publishers = self.get_publishers_info_by_topic(topic)
            if not publishers:
                continue
            kind = kinds[0]
            package, _, name = kind.split("/")
            self._learn(package, kind)
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            offered = publishers[0].qos_profile
            qos = QoSProfile(depth=20, reliability=offered.reliability, durability=offered.durability)
            message_type = getattr(importlib.import_module(f"{package}.msg"), name)
            self.create_subscription(message_type, topic, partial(self._on_raw, topic, kind), qos, raw=True)
            self.get_logger().info(f"recording {topic} ({kind})")

    def _learn(self, package: str, kind: str) -> None:
        """Read the definitions of a package that the reader's own store of standard messages lacks."""
        if kind in self._types.types:
            return
        prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
        found = [p for prefix in prefixes for p in Path(prefix, "share", package, "msg").glob("*.msg")]
        types = {}
        for path in found:
            types.update(get_types_from_msg(path.read_text(encoding="utf-8"), f"{package}/msg/{path.stem}"))
        self._types.register(types)

    def _on_raw(self, topic: str, kind: str, data: bytes) -> None:
        received_ns = self.get_clock().now().nanoseconds
        if kind != IMAGE_TYPE or not self._settings.only_used_images:
            self._write(topic, received_ns, data)
            if kind == ESTIMATE_TYPE:
                self._keep_images(deserialize_message(data, BlockEstimate))
            return
        stamp = _stamp_of_raw(data)
        if (topic, stamp) in self._wanted:  # its estimate overtook it
            self._wanted.discard((topic, stamp))
            self._write(topic, received_ns, data)
        else:
            self._waiting.setdefault(topic, deque(maxlen=IMAGES_WAITING)).append((stamp, received_ns, data))

    def _keep_images(self, estimate: BlockEstimate) -> None:
        """Write the images that an estimate was made from."""
        for camera, time in zip(estimate.views, estimate.stamps, strict=True):
            topic, stamp = f"/{camera}/image_raw", stamp_ns(time)
            waiting = self._waiting.get(topic, deque())
            match = next((entry for entry in waiting if entry[0] == stamp), None)
            if match is None:
                self._wanted.add((topic, stamp))
            else:
                waiting.remove(match)
                self._write(topic, match[1], match[2])

    def _write(self, topic: str, received_ns: int, data: bytes) -> None:
        self._writer.write(self._connections[topic], received_ns, data)


def _open(folder: str) -> Writer:
    if not folder:
        raise BlockworldError("parameter 'folder' is empty: give the folder of the bag to write.")
    writer = Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
    try:
        writer.open()
    except (WriterError, OSError) as error:
        raise BlockworldError(
            f"the bag '{folder}' cannot be written ({error}): give a folder that does not exist yet."
        ) from error
    return writer


def _stamp_of_raw(data: bytes) -> int:
    """Stamp in nanoseconds of a serialized message that starts with a header (CDR: 4 bytes, then the stamp)."""
    order = "<" if data[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI", data, 4)
    return seconds * NANOSECONDS + nanoseconds


def main() -> None:
    """Console script."""
    run(BagRecorder)


if __name__ == "__main__":
    main()
