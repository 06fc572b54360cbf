"""Robots as the simulator needs them: kinematics, parts, the URDF for physics, places and ranges.

A robot is a URDF and a small YAML (`sim.robots.schema`); docs/your-robot.md shows the way from there to networks.
"""

from sim.robots.description import Keypoint, Part, Place, RobotDescription
from sim.robots.loading import load_part, load_robot
from sim.robots.schema import known_descriptions

__all__ = ["Keypoint", "Part", "Place", "RobotDescription", "known_descriptions", "load_part", "load_robot"]
