"""Room in shared memory for whole images, where Fast DDS carries the messages."""

from __future__ import annotations

import os

from perception.graph import shared_file

# The first is the name that Fast DDS 3 reads too, the second the one of ROS 2 Jazzy's documentation.
PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")


def make_room_for_images() -> None:
    """Point Fast DDS to config/fastdds.xml, unless the user has profiles; call it before rclpy.init."""
    if not any(name in os.environ for name in PROFILES):
        os.environ.update(dict.fromkeys(PROFILES, shared_file("config/fastdds.xml")))
