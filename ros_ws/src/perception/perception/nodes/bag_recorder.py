"""The node `bag_recorder`: writes a rosbag2 (MCAP) that any ROS 2 and `blockworld localize --bag` read.

Messages are stored as they came over the wire, with their definitions. Of the images, which come many times
a second, only those are kept that an estimate was made from, unless told otherwise: the localizer sends them
once more. They are stored under the topic of their camera. SIGINT and SIGTERM close the bag.
"""

from __future__ import annotations

import importlib
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from perception.errors import BlockworldError
from perception.node_parameters import BagRecorderParameters
from perception.nodes.runtime import declare, run

BAG_VERSION = 9  # of ROS 2 Jazzy
LOOK_S = 0.5
IMAGE_TOPIC = re.compile(r"(?P<space>.*)/(?P<camera>\w+)/image_raw")


class BagRecorder(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("bag_recorder")
        self._settings: BagRecorderParameters = declare(self, BagRecorderParameters)
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Any] = {}
        self._writer = _open(self._settings.folder)
        self._look()
        self.create_timer(LOOK_S, self._look)

    def destroy_node(self) -> None:
        """Close the bag, then end the node."""
        self._writer.close()
        super().destroy_node()

    def _look(self) -> None:
        """Join the topics that have appeared."""
        there = dict(self.get_topic_names_and_types())
        for topic in map(self.resolve_topic_name, self._settings.topics):
            source = self._source(topic)
            publishers = self.get_publishers_info_by_topic(source)
            if topic in self._connections or source not in there or not publishers:
                continue
            kind = there[source][0]
            package, _, name = kind.split("/")
            self._learn(package, kind)
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            offered = publishers[0].qos_profile
            qos = QoSProfile(depth=20, reliability=offered.reliability, durability=offered.durability)
            message_type = getattr(importlib.import_module(f"{package}.msg"), name)
            self.create_subscription(message_type, source, partial(self._on_raw, topic), qos, raw=True)
            self.get_logger().info(f"recording {topic} ({kind})")

    def _source(self, topic: str) -> str:
        """Where the messages stored under a topic come from."""
        camera = IMAGE_TOPIC.fullmatch(topic)
        if camera is None or not self._settings.only_used_images:
            return topic
        return f"{camera['space']}/localizer/used/{camera['camera']}"

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

    def _on_raw(self, topic: str, data: bytes) -> None:
        self._writer.write(self._connections[topic], self.get_clock().now().nanoseconds, data)


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


def main() -> None:
    """Console script."""
    run(BagRecorder)


if __name__ == "__main__":
    main()
