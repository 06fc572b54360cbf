"""What a network is trained for: the robot of its data sets, and the heat maps that follow from it."""

from sim.dataset import read_config
from sim.keypoints import Channel, channels
from sim.robots import RobotDescription, load_robot
from training.localization.config import LocalizationConfig


def robot_of(config: LocalizationConfig) -> RobotDescription:
    """The robot that the data sets show; raises ValueError where they are not there, show different ones, or their
    robot is not here."""
    robots = {read_config(folder).robot for folder in (*config.data, *config.validation)}
    if len(robots) > 1:
        raise ValueError(f"the data sets show different robots ({', '.join(sorted(robots))}): train on those of one.")
    return load_robot(robots.pop())


def channels_of(config: LocalizationConfig) -> tuple[Channel, ...]:
    """The heat maps of the network that this configuration describes."""
    return channels(config.task, robot_of(config))
