"""The lifecycle node `bag_recorder`: writes a rosbag2 (MCAP) that any ROS 2 and `blockworld localize --bag` read.

Messages are stored as they came over the wire, with their definitions. Of the images, which come many times
a second, only those are kept that an estimate was made from, unless told otherwise: the localizer sends them
once more. They are stored under the topic of their camera. `cleanup`, SIGINT and SIGTERM close the bag, and so does a
disk that is about to be full: an MCAP file without its end cannot be read before it is repaired.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from perception.errors import BlockworldError
from perception.node_parameters import BagRecorderParameters
from perception.nodes.managed import ManagedNode
from perception.nodes.runtime import run, steady_timer

BAG_VERSION = 9  # of ROS 2 Jazzy
LOOK_S = 0.5
MB = 10**6
IMAGE_TOPIC = re.compile(r"(?P<space>.*)/(?P<camera>\w+)/image_raw")


class BagRecorder(ManagedNode):
    """See the module."""

    PARAMETERS = BagRecorderParameters

    def __init__(self) -> None:
        super().__init__("bag_recorder")
        self.settings: BagRecorderParameters
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Any] = {}
        self._writer: Writer | None = None
        self._timer: Any = None
        self._listening: dict[str, Any] = {}
        self._written = self._bytes = 0

    def configured(self) -> None:
        """Open the bag."""
        self._connections.clear()
        self._written = self._bytes = 0
        folder = self.settings.folder
        if not folder:
            raise BlockworldError("parameter 'folder' is empty: give the folder of the bag to write.")
        if self._free_bytes() < self.settings.keep_free_mb * MB:
            raise BlockworldError(f"no bag is begun in '{folder}': {self._too_full()}")
        self._writer = _open(folder)

    def activated(self) -> None:
        """Begin to record."""
        if self._writer is None:
            raise BlockworldError("the bag is closed: configure the recorder again, with another folder.")
        self._look()
        self._timer = steady_timer(self, LOOK_S, self._look)

    def deactivated(self) -> None:
        """Record nothing more; the bag stays open."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        for subscription in self._listening.values():
            self.destroy_subscription(subscription)
        self._listening.clear()

    def cleaned_up(self) -> None:
        """Close the bag."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def told(self) -> Mapping[str, str]:
        """What was recorded, and the room for more."""
        try:
            free = str(self._free_bytes() // MB) if self.settings.folder else ""
        except OSError as error:
            free = str(error.strerror)
        return {
            "folder": self.settings.folder,
            "messages": str(self._written),
            "bytes": str(self._bytes),
            "free (MB)": free,
            "free (MB), expected": f"at least {self.settings.keep_free_mb}",
        }

    def _look(self) -> None:
        """Join the topics that have appeared."""
        there = dict(self.get_topic_names_and_types())
        for topic in map(self.resolve_topic_name, self.settings.topics):
            source = self._source(topic)
            publishers = self.get_publishers_info_by_topic(source)
            if self._writer is None or topic in self._listening or source not in there or not publishers:
                continue
            kind = there[source][0]
            package, _, name = kind.split("/")
            if topic not in self._connections:
                self._learn(package, kind)
                self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            offered = publishers[0].qos_profile
            qos = QoSProfile(depth=20, reliability=offered.reliability, durability=offered.durability)
            message_type = getattr(importlib.import_module(f"{package}.msg"), name)
            self._listening[topic] = self.create_subscription(
                message_type, source, partial(self._on_raw, topic), qos, raw=True
            )
            self.get_logger().info(f"recording {topic} ({kind})")

    def _source(self, topic: str) -> str:
        """Where the messages stored under a topic come from."""
        camera = IMAGE_TOPIC.fullmatch(topic)
        if camera is None or not self.settings.only_used_images:
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
        if self._writer is None:
            return
        folder = self.settings.folder
        try:
            if self._free_bytes() - len(data) < self.settings.keep_free_mb * MB:
                self._give_up(f"the bag '{folder}' is closed: {self._too_full()}")
                return
            self._writer.write(self._connections[topic], self.get_clock().now().nanoseconds, data)
        except OSError as error:
            self._give_up(f"the bag '{folder}' cannot be written any more ({error.strerror}).")
        else:
            self._written += 1
            self._bytes += len(data)

    def _give_up(self, fault: str) -> None:
        """Close the bag, so that what it holds can be read, and say so until the node is configured again."""
        self.fault = fault
        try:
            self.cleaned_up()
        except OSError as error:
            self.fault = f"{fault.rstrip('.')}, nor can it be closed ({error.strerror}): repair it with `mcap recover`."
        self.get_logger().error(self.fault)

    def _free_bytes(self) -> int:
        """Where the bag is, or will be."""
        folder = Path(self.settings.folder).absolute()
        place = folder if self._writer is not None else next(one for one in folder.parents if one.exists())
        return shutil.disk_usage(place).free

    def _too_full(self) -> str:
        return (
            f"less than {self.settings.keep_free_mb} MB are free there. Make room, or lower keep_free_mb, and "
            "configure the recorder again with another folder."
        )


def _open(folder: str) -> Writer:
    try:
        writer = Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
        writer.open()
    except (WriterError, OSError) as error:
        raise BlockworldError(
            f"the bag '{folder}' cannot be written ({str(error).rstrip('.')}): give a folder that does not exist yet."
        ) from error
    return writer


def main() -> None:
    """Console script."""
    run(BagRecorder)


if __name__ == "__main__":
    main()
