"""What a network is trained for: the robot of its data set, and the heat maps that follow from it."""

from pathlib import Path

from sim.dataset import read_config
from sim.keypoints import Channel, channels
from sim.robots import RobotDescription, load_robot
from training.localization.config import LocalizationConfig


def robot_of(data: Path) -> RobotDescription:
    """The robot that a data set shows; raises ValueError where there is no data set, or the robot is not here."""
    return load_robot(read_config(data).robot)


def channels_of(config: LocalizationConfig) -> tuple[Channel, ...]:
    """The heat maps of the network that this configuration describes."""
    return channels(config.task, robot_of(config.data))
