"""What the simulator knows of a robot beyond its kinematics."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from perception.robot import Robot

Place = tuple[str, tuple[float, float, float]]
"""A point of the robot: (link, xyz in the frame of that link, m)."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """One mesh of `sim.meshes`, given in the frame of its link; `tone` says which of the robot's materials it has."""

    link: str
    mesh: str
    tone: int


@dataclass(frozen=True)
class Keypoint:
    """A point that a network learns to find, or two that look alike and share a heat map."""

    name: str
    places: tuple[Place, ...]


@dataclass(frozen=True, eq=False)
class RobotDescription:
    """A robot arm with a parallel gripper. Lengths in m, angles in rad, places in the base frame.

    J is the number of the robot's own joints (`robot.joint_names`), A of those of the arm, F of the gripper; joints
    that mimic another one are not among them. The support is the plane z = 0 of the base frame.

    name: what `load_robot` takes for this robot, and mesh names begin with: a name, or the path of its YAML.
    title: what people call it. ships: whether it comes with Blockworld. digest: changes with everything here.
    urdf: what PyBullet loads, its visual meshes the same as those of `parts`.
    tones: the colour (sRGB) that the robot has by nature, one per tone of its parts.
    home (J,): arm ready, clamp pointing down well above the support, gripper open.
    arm, fingers: indices of their joints in J. All joints in `fingers` take the same value.
    arm_spread_rad (A,): how far random postures depart from home.
    opening: the value of the finger joints (closed, open); the open one may be the smaller one.
    tips: the middle of each finger's gripping face at its tip, and so the links that touch what is held.
    reach_m: distances of the block from the base's axis; workspace_x_m, workspace_y_m: where it may lie.
    hover_height_m: heights of the clamp above a block in close-ups.
    camera_target_m (3,), span_m: where cameras look, and the size that they should frame.
    clear_links: links whose origins stay above the support in random postures, the clamp among them.
    arm_force (A,): what the motors can do, N m; finger_force: N (prismatic) or N m.
    overview, close_up: keypoints of the robot in images of the whole arm, and around the clamp.
    """

    name: str
    title: str
    ships: bool
    digest: str
    robot: Robot
    urdf: Path
    parts: tuple[Part, ...]
    tones: tuple[tuple[float, float, float], ...]
    home: np.ndarray
    arm: tuple[int, ...]
    fingers: tuple[int, ...]
    arm_spread_rad: np.ndarray
    opening: Range
    tips: tuple[Place, Place]
    reach_m: Range
    workspace_x_m: Range
    workspace_y_m: Range
    hover_height_m: Range
    camera_target_m: np.ndarray
    span_m: float
    clear_links: tuple[str, ...]
    arm_force: np.ndarray
    finger_force: float
    overview: tuple[Keypoint, ...]
    close_up: tuple[Keypoint, ...]

    @property
    def finger_links(self) -> tuple[str, str]:
        """The two links that touch what is held."""
        return self.tips[0][0], self.tips[1][0]

    @cached_property
    def lower(self) -> np.ndarray:
        """(J,) lower limits, rad and m."""
        return frozen([joint.lower for joint in self.robot.moving])

    @cached_property
    def upper(self) -> np.ndarray:
        """(J,) upper limits, rad and m."""
        return frozen([joint.upper for joint in self.robot.moving])

    @property
    def opening_m(self) -> float:
        """Distance between the finger tips when the gripper is open."""
        return float(self._openings[1].max())

    def opening_at(self, finger: float) -> float:
        """Distance between the finger tips, m, at a value of the finger joints."""
        values, openings = self._openings
        order = np.argsort(values)
        return float(np.interp(finger, values[order], openings[order]))

    def finger_at(self, opening_m: float) -> float:
        """The value of the finger joints for a distance between the finger tips; the nearest possible one."""
        values, openings = self._openings
        return float(np.interp(opening_m, openings, values))

    @cached_property
    def _openings(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of the finger joints from closed to open, and the distance between the tips there."""
        values = np.linspace(*self.opening, 65)
        openings = np.empty(len(values))
        for i, value in enumerate(values):
            joints = self.home.copy()
            joints[list(self.fingers)] = value
            openings[i] = self.robot.opening_m(joints)
        return values, np.maximum.accumulate(openings)


def frozen(values: ArrayLike) -> np.ndarray:
    """An array that cannot be written to: descriptions are shared by all who load them."""
    array = np.array(values, dtype=float)
    array.setflags(write=False)
    return array
