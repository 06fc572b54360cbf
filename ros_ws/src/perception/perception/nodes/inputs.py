"""The images and joint states that the localizer receives: checked, counted, and paired by time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sensor_msgs.msg import Image, JointState

from perception.errors import BlockworldError, JointStateError
from perception.image_messages import check_image_message, image_from_message
from perception.joint_history import JointHistory
from perception.localize import View
from perception.node_parameters import LocalizerParameters
from perception.nodes.messages import NANOSECONDS, stamp_ns
from perception.robot import Robot

KEPT_IMAGES = 3
KEPT_JOINTS_NS = 20 * NANOSECONDS


@dataclass
class Source:
    """What came from one camera or from the joints; `problem` is set while the last message was refused."""

    topic: str
    received: int = 0
    refused: int = 0
    problem: str = ""
    last_problem: str = ""
    last_s: float | None = None

    def took(self) -> None:
        """Note a message that is used."""
        self.received += 1
        self.problem = ""
        self.last_s = time.monotonic()

    def refuse(self, problem: str) -> None:
        """Note a message that is dropped, and why."""
        self.refused += 1
        self.problem = self.last_problem = problem

    def age_s(self) -> float | None:
        """Seconds since the last message that is used; None before the first."""
        return None if self.last_s is None else time.monotonic() - self.last_s


@dataclass(frozen=True)
class StampedView:
    """A view, the stamp of its image in nanoseconds, and the message that the image came in."""

    view: View
    stamp_ns: int
    message: Image


@dataclass(frozen=True)
class _Shot:
    stamp_ns: int
    message: Image


@dataclass
class _Camera:
    source: Source
    shots: deque[_Shot] = field(default_factory=lambda: deque(maxlen=KEPT_IMAGES))


class Inputs:
    """Latest images by camera and joint positions by time; what is bad is dropped and explained."""

    def __init__(self, robot: Robot, settings: LocalizerParameters, in_full: Callable[[str], str]) -> None:
        """in_full: the name of a topic with the node's namespace, remapped where it is."""
        self.robot = robot
        self._cameras = {camera: _Camera(Source(in_full(f"{camera}/image_raw"))) for camera in settings.cameras}
        self.joint_source = Source(in_full("joint_states"))
        self.joints = JointHistory(
            settings.joint_gap_s * NANOSECONDS, KEPT_JOINTS_NS, settings.still_within_rad
        )

    @property
    def sources(self) -> dict[str, Source]:
        """What came from each camera."""
        return {name: camera.source for name, camera in self._cameras.items()}

    def on_image(self, camera: str, message: Image) -> None:
        """Keep an image, or note why not."""
        entry = self._cameras[camera]
        try:
            check_image_message(message)
            if stamp_ns(message.header.stamp) == 0:
                raise BlockworldError("the image has no stamp: publish the time at which it was taken.")
        except BlockworldError as error:
            entry.source.refuse(str(error))
            return
        entry.source.took()
        entry.shots.append(_Shot(stamp_ns(message.header.stamp), message))

    def on_joints(self, message: JointState) -> None:
        """Keep joint positions, or note why not."""
        try:
            positions = self.robot.order(message.name, message.position)
            if stamp_ns(message.header.stamp) == 0:
                raise JointStateError("the joint state has no stamp: publish the time that it holds for.")
        except JointStateError as error:
            self.joint_source.refuse(str(error))
            return
        self.joint_source.took()
        self.joints.add(stamp_ns(message.header.stamp), positions)

    def views(self, cameras: Sequence[str], after_ns: int) -> dict[str, StampedView]:
        """Of each camera the newest view taken after a time, of those whose joint positions are known."""
        found = {}
        for camera in cameras:
            shot = self._newest(camera, after_ns)
            if shot is not None:
                joints = self.joints.at(shot.stamp_ns)
                view = View(camera, image_from_message(shot.message), joints, shot.stamp_ns / NANOSECONDS)
                found[camera] = StampedView(view, shot.stamp_ns, shot.message)
        return found

    def ready(self, cameras: Sequence[str], after_ns: int) -> list[str]:
        """The cameras that have a view taken after a time."""
        return [camera for camera in cameras if self._newest(camera, after_ns) is not None]

    def _newest(self, camera: str, after_ns: int) -> _Shot | None:
        # A joint state at or after the image is waited for, so that positions are interpolated, not guessed.
        latest = self.joints.latest
        for shot in reversed(self._cameras[camera].shots):
            if (
                shot.stamp_ns > after_ns
                and latest is not None
                and latest >= shot.stamp_ns
                and self.joints.at(shot.stamp_ns) is not None
            ):
                return shot
        return None

    def why_missing(self, cameras: Sequence[str], after_ns: int) -> str:
        """Why some of the cameras have no view taken after a time, as clauses without a full stop."""
        reasons = []
        without_joints = []
        for camera in cameras:
            entry = self._cameras[camera]
            if self._newest(camera, after_ns) is not None:
                continue
            if entry.source.problem:
                reasons.append(f"{camera}: {entry.source.problem.rstrip('.')}")
            elif entry.source.received == 0:
                reasons.append(f"{camera} never published an image on {entry.source.topic}")
            elif all(shot.stamp_ns <= after_ns for shot in entry.shots):
                reasons.append(f"{camera} published no new image on {entry.source.topic}")
            else:
                without_joints.append(camera)
        # Said even where no image came: both must be mended.
        if self.joint_source.problem:
            reasons.append(self.joint_source.problem.rstrip("."))
        elif self.joint_source.received == 0:
            reasons.append(f"no joint state was ever published on {self.joint_source.topic}")
        elif without_joints:
            topic = self.joint_source.topic
            names = ", ".join(without_joints)
            reasons.append(f"on {topic} no joint states around the images of {names}, or the robot moved")
        return "; ".join(reasons)
