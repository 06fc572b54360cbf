"""Malformed messages by seed: every kind of wrong image and joint state, in random amounts of wrong."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception.nodes.messages import NANOSECONDS, time_message

WIDTH, HEIGHT = 96, 72
ENCODINGS = ("", "32FC1", "bayer_rggb8", "yuv422", "RGB8", "rgb8 ", "8UC3", "mono8; rm -rf /", "\U0001f916" * 40)
PANDA_ARM = 7


@dataclass(frozen=True)
class Bad:
    """A message, or its bytes where no message can be so wrong, and the kind under which it is to be counted; kind ""
    where the middleware may keep it back."""

    message: Any
    kind: str
    of_image: bool


class Fuzzer:
    """Makes bad messages; the same seed makes the same."""

    def __init__(self, seed: int, joint_names: list[str], joints: list[float]) -> None:
        self._rng = np.random.default_rng(seed)
        self._names, self._joints = joint_names, joints
        self._images: list[Callable[[Image], str]] = [
            self._encoding, self._step, self._data, self._small, self._huge, self._empty,
        ]  # fmt: skip
        self._states: list[Callable[[JointState], str]] = [
            self._not_finite, self._limits, self._missing, self._count, self._nothing,
        ]  # fmt: skip

    def next(self, now_ns: int) -> Bad:
        """The next one; now_ns: the time by which stamps are wrong."""
        of_image = bool(self._rng.random() < 0.6)
        message = self._image(now_ns) if of_image else self._state(now_ns)
        lot = self._rng.random()
        if lot < 0.2:
            kind = self._stamp(message, now_ns)
        elif lot < 0.3:
            whole = serialize_message(message)
            return Bad(self._damaged(whole), "", of_image)
        else:
            spoil = self._images if of_image else self._states
            kind = spoil[self._rng.integers(len(spoil))](message)
        return Bad(message, kind, of_image)

    def _image(self, now_ns: int) -> Image:
        header = Header(stamp=time_message(now_ns), frame_id="camera")
        message = Image(header=header, width=WIDTH, height=HEIGHT, encoding="rgb8", step=3 * WIDTH)
        message.data = array("B", self._rng.bytes(3 * WIDTH * HEIGHT))
        return message

    def _state(self, now_ns: int) -> JointState:
        return JointState(
            header=Header(stamp=time_message(now_ns)), name=list(self._names), position=list(self._joints)
        )

    def _stamp(self, message: Any, now_ns: int) -> str:
        kind = ("no stamp", "old stamp", "future stamp")[self._rng.integers(3)]
        away_ns = int(self._rng.integers(6, 10**6)) * NANOSECONDS
        if kind == "no stamp":
            message.header.stamp = time_message(0)
        elif kind == "old stamp":
            earlier_ns = now_ns - away_ns * int(self._rng.integers(1, 4000))  # also before 1970
            message.header.stamp.sec = max(-(2**31), earlier_ns // NANOSECONDS)
        else:
            message.header.stamp.sec = min(2**31 - 1, (now_ns + away_ns) // NANOSECONDS)
        return kind

    def _damaged(self, whole: bytes) -> bytes:
        """The bytes of a message, cut off or with wrong ones among the first hundred, where lengths stand."""
        if self._rng.random() < 0.5:
            return whole[: int(self._rng.integers(4, len(whole)))]
        spoilt = bytearray(whole)
        for place in self._rng.integers(4, min(100, len(whole)), int(self._rng.integers(1, 5))):
            spoilt[place] = int(self._rng.integers(256))
        spoilt[4:8] = (0x7FFFFFFF).to_bytes(4, "little")  # and in any case of a far future
        return bytes(spoilt)

    # Images

    def _encoding(self, image: Image) -> str:
        image.encoding = ENCODINGS[self._rng.integers(len(ENCODINGS))]
        return "encoding"

    def _step(self, image: Image) -> str:
        image.step = int(self._rng.integers(0, 3 * WIDTH))
        return "step"

    def _data(self, image: Image) -> str:
        size = len(image.data)
        wrong = [0, int(self._rng.integers(0, size)), size + int(self._rng.integers(1, 1000))]
        image.data = array("B", bytes(wrong[self._rng.integers(3)]))
        return "data length"

    def _small(self, image: Image) -> str:
        image.width, image.height = (int(side) for side in self._rng.integers(1, 64, 2))
        return "size"

    def _huge(self, image: Image) -> str:
        image.width, image.height = (int(side) for side in self._rng.integers(40_000, 2**32, 2))
        return "size"

    def _empty(self, image: Image) -> str:
        image.width = image.height = image.step = 0
        image.data = array("B")
        return "size"

    # Joint states

    def _not_finite(self, state: JointState) -> str:
        state.position[self._joint()] = (float("nan"), float("inf"), -float("inf"))[self._rng.integers(3)]
        return "not finite"

    def _limits(self, state: JointState) -> str:
        state.position[self._joint()] = float(self._rng.uniform(10.0, 1e300)) * (-1.0) ** self._rng.integers(2)
        return "outside limits"

    def _missing(self, state: JointState) -> str:
        gone = self._joint()
        del state.name[gone], state.position[gone]
        return "missing joints"

    def _count(self, state: JointState) -> str:
        more = [0.0] * int(self._rng.integers(1, 50))
        state.position = [*state.position, *more] if self._rng.random() < 0.5 else state.position[: self._joint()]
        return "count"

    def _nothing(self, state: JointState) -> str:
        state.name, state.position = [], []
        return "missing joints"

    def _joint(self) -> int:
        return int(self._rng.integers(PANDA_ARM))
