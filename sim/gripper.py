"""A robot's gripper in PyBullet: its fingers move as one, close with a limited force, and tell what they touch.

PyBullet knows no mimic joints, and its gears yield by degrees under a grip's force. So every joint has a motor of its
own, and the motors are led together: each finger's drive, the first joint of its chain, may be one step ahead of
the slower drive, and all further joints follow the drives firmly. Hence both fingers stop when one of them is held
up, as in a hand with one motor.

The motors of a linkage's further joints brace themselves on the drives, so a drive needs the torque of the tip's force
at the tip's own lever about it, which is longer than the way that the tip moves per turn.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from perception.robot import Joint
from sim.bullet import pybullet
from sim.robots import RobotDescription

FIRMNESS = 10.0  # how much stronger than the drives the motors of the other joints are
FOLLOWING_GAIN = 0.5
LEVERS, LEAST_LEVER = 16, 1e-3
PAD_M = 0.006  # a finger's pad resists turning like its friction at this lever; the solver knows points alone


@dataclass(frozen=True)
class _Joint:
    """One joint: its position is factor * q + offset, q being that of the joints that the robot commands."""

    index: int
    factor: float
    offset: float


class Gripper:
    """The gripper of a robot loaded as `body`; `joints` and `links` map names to PyBullet's indices."""

    def __init__(
        self,
        description: RobotDescription,
        body: int,
        joints: dict[str, int],
        links: dict[str, int],
        client: int,
    ) -> None:
        self._body, self._client = body, client
        self._values, self._ways, self._levers = _levers(description)
        self._force = description.finger_force
        names = [description.robot.joint_names[i] for i in description.fingers]
        found = [_Joint(joints[name], 1.0, 0.0) for name in names]
        for joint in description.robot.mimics:
            if joint.mimic is not None and joint.mimic.joint in names:
                found.append(_Joint(joints[joint.name], joint.mimic.multiplier, joint.mimic.offset))
        moving = {joint.index for joint in found}
        self.fingers = tuple(_rigid(body, links[name], client) for name in description.finger_links)
        drives = {joints[_drive_of(description, link).name] for link in description.finger_links}
        self._drives = [joint for joint in found if joint.index in drives]
        self.links = frozenset(link for joint in moving for link in _rigid(body, joint, client))
        self._others = [joint for joint in found if joint.index not in drives]

    @property
    def strongest_n(self) -> float:
        """What each finger tip can press with, N: the least over the opening."""
        return float(self._force / self._ways.max())

    def place(self, value: float) -> None:
        """Put all joints of the gripper where the commanded joints are at `value`, at rest."""
        for joint in (*self._drives, *self._others):
            pybullet.resetJointState(
                self._body, joint.index, joint.factor * value + joint.offset, 0.0, physicsClientId=self._client
            )

    def drive(self, value: float, force_n: float, speed_m_s: float, step_s: float) -> None:
        """Set the motors for one time step towards `value` of the commanded joints.

        force_n: what each finger tip presses with at most. speed_m_s: how fast the opening changes, per finger.
        """
        states = pybullet.getJointStates(
            self._body, [joint.index for joint in self._drives], physicsClientId=self._client
        )
        now = [(state[0] - j.offset) / j.factor for state, j in zip(states, self._drives, strict=True)]
        lead = sum(now) / len(now)
        slow, ahead = (min(now), 1.0) if value > lead else (max(now), -1.0)
        speed = min(speed_m_s / float(np.interp(lead, self._values, self._ways)), abs(value - slow) / step_s)
        force = force_n * float(np.interp(lead, self._values, self._levers))
        for joint in self._drives:
            self._motor(joint, slow + ahead * speed * step_s, force, speed)
        for joint in self._others:
            self._motor(joint, lead, FIRMNESS * force, None)

    def set_friction(self, lateral: float) -> None:
        """Coulomb's coefficient of the fingers; that of the pair where the other body has 1."""
        for link in (link for group in self.fingers for link in group):
            pybullet.changeDynamics(
                self._body,
                link,
                lateralFriction=lateral,
                spinningFriction=PAD_M,
                rollingFriction=0.0,
                physicsClientId=self._client,
            )

    def forces_on(self, other: int) -> tuple[float, float]:
        """What each finger presses on another body with, N."""
        first, second = (
            sum(
                point[9]
                for link in group
                for point in pybullet.getContactPoints(
                    self._body, other, link, -1, physicsClientId=self._client
                )
            )
            for group in self.fingers
        )
        return first, second

    def _motor(self, joint: _Joint, value: float, force: float, speed: float | None) -> None:
        gain = {"positionGain": FOLLOWING_GAIN}
        if speed is not None:
            gain = {"positionGain": 1.0, "maxVelocity": abs(joint.factor) * speed}
        pybullet.setJointMotorControl2(
            self._body,
            joint.index,
            pybullet.POSITION_CONTROL,
            targetPosition=joint.factor * value + joint.offset,
            force=force / abs(joint.factor),
            physicsClientId=self._client,
            **gain,
        )


@lru_cache(maxsize=32)
def _levers(description: RobotDescription) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rising values of the commanded joints; there, how far a finger tip moves per change of them, and the lever of
    a tip about its drive, m per rad or 1."""
    low, high = sorted(description.opening)
    edges = np.linspace(low, high, LEVERS + 1)
    openings = np.array([description.opening_at(edge) for edge in edges])
    values = (edges[1:] + edges[:-1]) / 2
    ways = np.abs(np.diff(openings) / np.diff(edges)) / 2
    drives = [_drive_of(description, link) for link in description.finger_links]
    levers = []
    for value in values:
        joints = description.home.copy()
        joints[list(description.fingers)] = value
        poses, tips = description.robot.link_poses(joints), description.robot.points(joints, description.tips)
        closing = poses["clamp"][:3, 0]
        turned = [
            np.cross(poses[drive.child][:3, :3] @ drive.axis, tip - poses[drive.child][:3, 3]) @ closing
            if drive.type == "revolute"
            else poses[drive.child][:3, :3] @ drive.axis @ closing
            for drive, tip in zip(drives, tips, strict=True)
        ]
        levers.append(np.abs(turned).mean())
    return values, np.maximum(ways, LEAST_LEVER), np.maximum(levers, LEAST_LEVER)


def _drive_of(description: RobotDescription, link: str) -> Joint:
    """The joint of the gripper that is the nearest to the base on the way to a link."""
    robot = description.robot
    leaders = {robot.joint_names[i] for i in description.fingers}
    above = {joint.child: joint for joint in robot.chain.joints}
    found = None
    while link in above:
        joint = above[link]
        if joint.name in leaders or (joint.mimic is not None and joint.mimic.joint in leaders):
            found = joint
        link = joint.parent
    assert found is not None  # a description whose finger links no finger joint moves is refused when it is read
    return found


def _rigid(body: int, link: int, client: int) -> tuple[int, ...]:
    """The link and all that fixed joints hang on it."""
    group = [link]
    for joint in range(pybullet.getNumJoints(body, physicsClientId=client)):
        info = pybullet.getJointInfo(body, joint, physicsClientId=client)
        if info[2] == pybullet.JOINT_FIXED and info[16] in group:
            group.append(joint)
    return tuple(group)
