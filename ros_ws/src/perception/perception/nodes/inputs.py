"""The images and joint states that the localizer receives: checked, counted, and paired by time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sensor_msgs.msg import Image, JointState

from perception.errors import ImageError, InputError, JointStateError
from perception.image_messages import check_image_message, image_from_message
from perception.joint_history import JointHistory
from perception.localize import View
from perception.node_parameters import LocalizerParameters
from perception.nodes.messages import NANOSECONDS, stamp_ns
from perception.robot import Robot
from perception.synchronizer import Synchronizer

KEPT_JOINTS_NS = 20 * NANOSECONDS
WENT_BACK_NS = NANOSECONDS // 10  # by so much less than before, and the clock was set back


@dataclass
class Source:
    """What came from one camera or from the joints; `problem` is set while the last message was refused."""

    topic: str
    received: int = 0
    used: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    last_problem: str = ""
    last_s: float | None = None
    delay_s: float | None = None

    def took(self, delay_s: float) -> None:
        """Note a message that can be used; delay_s: from its stamp to now."""
        self.received += 1
        self.problem = ""
        self.last_s = time.monotonic()
        self.delay_s = delay_s

    def refuse(self, error: InputError) -> None:
        """Note a message that is dropped, and why."""
        self.refused[error.kind] += 1
        self.problem = self.last_problem = str(error)

    def age_s(self) -> float | None:
        """Seconds since the last message that can be used; None before the first."""
        return None if self.last_s is None else time.monotonic() - self.last_s


@dataclass(frozen=True)
class StampedView:
    """A view, the stamp of its image in nanoseconds, and the message that the image came in."""

    view: View
    stamp_ns: int
    message: Image


@dataclass(frozen=True)
class Moment:
    """A time by the node's clock; the epoch tells it from the same time before the clock was set back."""

    ns: int
    epoch: int


class Inputs:
    """Latest images by camera and joint positions by time; what is bad is dropped and explained.

    A clock that is set back, as when a bag starts over, begins a new epoch: what came before is forgotten.
    """

    def __init__(
        self,
        robot: Robot,
        settings: LocalizerParameters,
        in_full: Callable[[str], str],
        now_ns: Callable[[], int],
    ) -> None:
        """in_full: the name of a topic with the node's namespace, remapped where it is. now_ns: the node's clock."""
        self.robot = robot
        self._settings = settings
        self._now_ns = now_ns
        self.sources = {camera: Source(in_full(f"{camera}/image_raw")) for camera in settings.cameras}
        self._shots: Synchronizer[Image] = Synchronizer(
            settings.cameras, int(settings.sync_slop_s * NANOSECONDS), settings.sync_rule
        )
        self.joint_source = Source(in_full("joint_states"))
        self.joints = JointHistory(
            settings.joint_gap_s * NANOSECONDS, KEPT_JOINTS_NS, settings.still_within_rad
        )
        self._latest = Moment(now_ns(), 0)
        self._epoch_began_ns = 0

    @property
    def clock_jumps(self) -> int:
        """How often the clock was set back."""
        return self._latest.epoch

    def moment(self) -> Moment:
        """Now."""
        now_ns, last = self._now_ns(), self._latest
        if now_ns < last.ns - WENT_BACK_NS:
            self._shots.forget()
            self.joints.forget()
            self._epoch_began_ns = now_ns
            last = Moment(now_ns, last.epoch + 1)
        self._latest = Moment(max(now_ns, last.ns), last.epoch)
        return Moment(now_ns, last.epoch)

    def on_image(self, camera: str, message: Image) -> None:
        """Keep an image, or note why not."""
        source = self.sources[camera]
        try:
            check_image_message(message)
            taken_ns, delay_s = self._stamp(message, "image", ImageError)
        except InputError as error:
            source.refuse(error)
            return
        source.took(delay_s)
        self._shots.add(camera, taken_ns, message)

    def on_joints(self, message: JointState) -> None:
        """Keep joint positions, or note why not."""
        try:
            positions = self.robot.order(message.name, message.position)
            holds_ns, delay_s = self._stamp(message, "joint state", JointStateError)
        except InputError as error:
            self.joint_source.refuse(error)
            return
        self.joint_source.took(delay_s)
        self.joints.add(holds_ns, positions)

    def _stamp(self, message: Any, what: str, error: type[InputError]) -> tuple[int, float]:
        """A message's stamp and how long ago that is in s; raises the error for one that cannot be."""
        stamp, now_ns = stamp_ns(message.header.stamp), self.moment().ns
        if stamp == 0:
            raise error(f"the {what} has no stamp: publish the time that it holds for.", "no stamp")
        delay_s = (now_ns - stamp) / NANOSECONDS
        if delay_s > self._settings.oldest_stamp_s:
            raise error(
                f"the {what} is stamped {delay_s:.3g} s before it came (limit {self._settings.oldest_stamp_s:g} s): "
                "set the clocks alike, and use_sim_time where a bag is played.",
                "old stamp",
            )
        if -delay_s > self._settings.clock_tolerance_s:
            raise error(
                f"the {what} is stamped {-delay_s:.3g} s in the future (limit {self._settings.clock_tolerance_s:g} s): "
                "set the clocks alike, and use_sim_time where a bag is played.",
                "future stamp",
            )
        return stamp, delay_s

    def views(self, cameras: Sequence[str], since: Moment) -> list[StampedView]:
        """A view of every camera, all taken after a moment and together, of known joint positions; [] without."""
        shots = self._shots.together(cameras, self._usable(since))
        found = []
        for camera, shot in (shots or {}).items():
            joints = self.joints.at(shot.stamp_ns)
            view = View(camera, image_from_message(shot.item), joints, shot.stamp_ns / NANOSECONDS)
            found.append(StampedView(view, shot.stamp_ns, shot.item))
            self.sources[camera].used += 1
        return found

    def complete(self, cameras: Sequence[str], since: Moment) -> bool:
        """Whether `views` has some."""
        return self._shots.together(cameras, self._usable(since)) is not None

    def ready(self, cameras: Sequence[str], since: Moment) -> list[str]:
        """The cameras that have a view taken after a moment, be it together with others or not."""
        usable = self._usable(since)
        return [camera for camera in cameras if self._shots.newest(camera, usable) is not None]

    def joints_after(self, since: Moment) -> bool:
        """Whether a joint state holds for a time after a moment."""
        latest = self.joints.latest
        return latest is not None and latest > self._start_ns(since)

    def _start_ns(self, since: Moment) -> int:
        return since.ns if since.epoch == self._latest.epoch else self._epoch_began_ns

    def _usable(self, since: Moment) -> Callable[[int], bool]:
        """Whether an image of a stamp is new enough, and the joint positions at its time are known."""
        start_ns, latest = self._start_ns(since), self.joints.latest

        def usable(taken_ns: int) -> bool:
            # A joint state at or after the image is waited for, so that positions are interpolated, not guessed.
            known = latest is not None and latest >= taken_ns
            return taken_ns > start_ns and known and self.joints.at(taken_ns) is not None

        return usable

    def why_missing(self, cameras: Sequence[str], since: Moment) -> str:
        """Why there is no view of every camera after a moment, as clauses without a full stop."""
        reasons = []
        without_joints = []
        usable, start_ns = self._usable(since), self._start_ns(since)
        for camera in cameras:
            source = self.sources[camera]
            if self._shots.newest(camera, usable) is not None:
                continue
            if source.problem:
                reasons.append(f"{camera}: {source.problem.rstrip('.')}")
            elif source.received == 0:
                reasons.append(f"{camera} never published an image on {source.topic}")
            elif (self._shots.latest(camera) or 0) <= start_ns:
                reasons.append(f"{camera} published no new image on {source.topic}")
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
        apart_ns = self._shots.spread_ns(cameras, usable)
        if not reasons and apart_ns is not None:
            reasons.append(
                f"the images of {', '.join(cameras)} are {apart_ns / NANOSECONDS:.3g} s apart at best, and sync_slop_s "
                f"is {self._settings.sync_slop_s:g} s"
            )
        return "; ".join(reasons)
