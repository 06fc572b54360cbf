"""A robot's gripper in PyBullet: its fingers move as one, close with a limited force, and tell what they touch.

PyBullet knows no mimic joints, and its gears yield by degrees under a grip's force. So every joint has a motor of its
own, and the motors are led together: each finger's drive, the first joint of its chain, may be one step ahead of
the slower drive, and all further joints follow the drives firmly. Hence both fingers stop when one of them is held
up, as in a hand with one motor.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

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
        self._levers, self._force = _levers(description), description.finger_force
        names = [description.robot.joint_names[i] for i in description.fingers]
        found = [_Joint(joints[name], 1.0, 0.0) for name in names]
        for joint in description.robot.mimics:
            if joint.mimic is not None and joint.mimic.joint in names:
                found.append(_Joint(joints[joint.name], joint.mimic.multiplier, joint.mimic.offset))
        moving = {joint.index for joint in found}
        self.fingers = tuple(_rigid(body, links[name], client) for name in description.finger_links)
        drives = {_first(body, group[0], moving, client) for group in self.fingers}
        self._drives = [joint for joint in found if joint.index in drives]
        self.links = frozenset(link for joint in moving for link in _rigid(body, joint, client))
        self._others = [joint for joint in found if joint.index not in drives]

    @property
    def strongest_n(self) -> float:
        """What each finger tip can press with, N: the least over the opening."""
        return float(self._force / self._levers[1].max())

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
        lever = self._lever(sum(now) / len(now))
        slow, ahead = (min(now), 1.0) if value > sum(now) / len(now) else (max(now), -1.0)
        speed = speed_m_s / lever
        next_value = slow + ahead * min(speed * step_s, abs(value - slow))
        force = force_n * lever
        for joint in self._drives:
            self._motor(joint, next_value, force, min(speed, abs(value - slow) / step_s))
        lead = sum(now) / len(now)
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

    def _lever(self, value: float) -> float:
        """How far one finger tip moves per change of the commanded joints: m per rad, 1 for straight fingers."""
        return float(np.interp(value, *self._levers))

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
def _levers(description: RobotDescription) -> tuple[np.ndarray, np.ndarray]:
    """Rising values of the commanded joints, and how far one finger tip moves per change of these."""
    edges = np.linspace(*sorted(description.opening), LEVERS + 1)
    openings = np.array([description.opening_at(edge) for edge in edges])
    return (edges[1:] + edges[:-1]) / 2, np.maximum(np.abs(np.diff(openings) / np.diff(edges)) / 2, LEAST_LEVER)


def _first(body: int, link: int, moving: set[int], client: int) -> int:
    """The joint of `moving` that is the nearest to the base on the way from the base to a link."""
    first = -1
    while link >= 0:
        if link in moving:
            first = link
        link = pybullet.getJointInfo(body, link, physicsClientId=client)[16]
    return first


def _rigid(body: int, link: int, client: int) -> tuple[int, ...]:
    """The link and all that fixed joints hang on it."""
    group = [link]
    for joint in range(pybullet.getNumJoints(body, physicsClientId=client)):
        info = pybullet.getJointInfo(body, joint, physicsClientId=client)
        if info[2] == pybullet.JOINT_FIXED and info[16] in group:
            group.append(joint)
    return tuple(group)
