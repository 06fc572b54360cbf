"""The simulated world, the localizer, and the node that picks the block up.

ros2 launch perception demo.launch.py seed:=1
ros2 action send_goal /pick perception_interfaces/action/Pick {} --feedback
"""

from launch import LaunchDescription
from perception.nodes.launching import launch_description


def generate_launch_description() -> LaunchDescription:
    """What `blockworld up demo` starts, too."""
    return launch_description("demo")
