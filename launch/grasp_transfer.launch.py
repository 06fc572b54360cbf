"""The node that finds grasps of objects from their shapes, with RViz where asked for.

ros2 launch perception grasp_transfer.launch.py categories:=mug,bowl
ros2 launch perception grasp_transfer.launch.py --show-args
"""

from launch import LaunchDescription
from perception.nodes.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """What `blockworld up grasp_transfer` starts, too."""
    return launch_description("grasp_transfer")
