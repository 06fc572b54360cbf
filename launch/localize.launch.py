"""The localizer, with a simulated world and RViz where asked for.

ros2 launch perception localize.launch.py cameras:=camera_1,camera_2 models:=/path/to/models
ros2 launch perception localize.launch.py --show-args
"""

from launch import LaunchDescription
from perception.nodes.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """What `blockworld up localize` starts, too."""
    return launch_description("localize")
