"""Localization requests out of a rosbag2 recording (MCAP or SQLite), read without ROS.

A bag of the demo holds the images, the joint states and the estimates that the node made of them. An estimate
names the camera and stamp of every image that it came from and the joint positions at each, so a request can
be put again exactly. A bag without estimates gives one request: the latest image of every camera.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError

from perception.angles import wrap
from perception.errors import BlockworldError
from perception.estimate import Array
from perception.image_messages import image_from_message
from perception.joint_history import JointHistory
from perception.localize import View
from perception.robot import Robot
from perception.tracking import Origin, Start

IMAGE_TYPE = "sensor_msgs/msg/Image"
JOINTS_TYPE = "sensor_msgs/msg/JointState"
ESTIMATE_TYPE = "perception_interfaces/msg/BlockEstimate"
IMAGE_TOPIC = re.compile(r"^/(?P<camera>.+)/image_raw$")
LONGEST_JOINT_GAP_NS = 500_000_000

Key = tuple[str, int]  # camera and stamp in ns


@dataclass(frozen=True)
class Recorded:
    """The estimate that the node made: position and yaw in its frame, and what ran the networks."""

    x_m: float
    y_m: float
    yaw_rad: float
    engine: str


@dataclass(frozen=True)
class Request:
    """Views to localize from, in the order in which they were used; recorded: what the node made of them; origin:
    what else that goes back to, None also where the bag began later."""

    stage: str | None
    views: tuple[View, ...]
    recorded: Recorded | None
    origin: Origin | None = None


def read_requests(path: str | os.PathLike[str], robot: Robot) -> list[Request]:
    """The requests of a bag (folder, or one of its files), in the order of recording.

    Raises BlockworldError for what is no bag, or a bag that lacks the images or joint states needed.
    """
    with _opened(Path(path)) as reader:
        requests = list(_recorded_requests(reader, path))
        return requests or [_latest(reader, robot, path)]


@contextmanager
def _opened(path: Path) -> Iterator[AnyReader]:
    if not path.exists():
        raise BlockworldError(f"the bag {path} does not exist: give a rosbag2 folder or an .mcap file.")
    try:
        reader = AnyReader([path])
        reader.open()
    except (AnyReaderError, ReaderError, OSError, ValueError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BlockworldError(
            f"{path} is not a readable rosbag2 recording ({reason}): give its folder or an .mcap file."
        ) from None
    try:
        yield reader
    finally:
        reader.close()


def _recorded_requests(reader: AnyReader, path: str | os.PathLike[str]) -> Iterator[Request]:
    connections = [one for one in reader.connections if one.msgtype == ESTIMATE_TYPE]
    if not connections:
        return
    messages = [message for _, message in _messages(reader, connections)]
    keys = [_keys(message) for message in messages]
    images = _images(reader, {key for some in keys for key in some})
    by_keys = {tuple(wanted): message for wanted, message in zip(keys, messages, strict=True)}
    keyframes: dict[tuple[Key, ...], tuple[View, ...]] = {}
    for message, wanted in zip(messages, keys, strict=True):
        missing = [key for key in wanted if key not in images]
        if missing:
            camera, stamp = missing[0]
            raise BlockworldError(
                f"the bag {path} has an estimate from an image of {camera} at {stamp / 1e9:.3f} s, but not "
                f"the image: record /{camera}/image_raw too."
            )
        origin = None
        # Bags of before continuous mode have no such fields.
        keyframe = _keys(message, "keyframe") if len(getattr(message, "keyframe", ())) else []
        if keyframe and tuple(keyframe) in by_keys:
            start = Start.from_numbers(message.start)
            if tuple(keyframe) not in keyframes:  # which many estimates go back to
                keyframes[tuple(keyframe)] = _views(by_keys[tuple(keyframe)], keyframe, images)
            origin = Origin(keyframes[tuple(keyframe)], start)
        yield Request(message.stage, _views(message, wanted, images), _recorded(message), origin)


def _views(message: Any, keys: list[Key], images: dict[Key, Any]) -> tuple[View, ...]:
    """The views of an estimate, with the joint positions that it tells."""
    joints = np.asarray(message.joints, dtype=np.float64).reshape(len(keys), -1)
    return tuple(
        View(camera, image_from_message(images[camera, stamp]), positions, stamp / 1e9)
        for (camera, stamp), positions in zip(keys, joints, strict=True)
    )


def _latest(reader: AnyReader, robot: Robot, path: str | os.PathLike[str]) -> Request:
    """The latest image of every camera, with the joint positions of its time."""
    history = JointHistory(LONGEST_JOINT_GAP_NS, span=float("inf"), still_within=float("inf"))
    for _, message in _messages(reader, [one for one in reader.connections if one.msgtype == JOINTS_TYPE]):
        history.add(_stamp(message), robot.order(message.name, message.position))
    latest: dict[str, Any] = {}
    for connection, message in _messages(reader, _image_connections(reader)):
        latest[_camera(connection)] = message
    if not latest:
        raise BlockworldError(
            f"the bag {path} has no images on /CAMERA/image_raw: record at least one camera."
        )
    views = []
    for camera, message in sorted(latest.items()):
        positions = history.at(_stamp(message))
        if positions is None:
            raise BlockworldError(
                f"the bag {path} has no joint state within {LONGEST_JOINT_GAP_NS / 1e9} s of the last "
                f"image of {camera}: record /joint_states too."
            )
        views.append(View(camera, image_from_message(message), positions, _stamp(message) / 1e9))
    return Request(None, tuple(views), None)


def _messages(reader: AnyReader, connections: list[Connection]) -> Iterator[tuple[Connection, Any]]:
    if connections:  # no connections would mean all of them
        for connection, _, raw in reader.messages(connections=connections):
            yield connection, reader.deserialize(raw, connection.msgtype)


def _images(reader: AnyReader, wanted: set[Key]) -> dict[Key, Any]:
    """The image messages of the given cameras and stamps; the others are skipped by their stamp alone."""
    found: dict[Key, Any] = {}
    for connection, _, raw in reader.messages(connections=_image_connections(reader)):
        # A header comes first in an Image: after 4 bytes of encapsulation, seconds and nanoseconds.
        order = "little" if raw[1] & 1 else "big"
        seconds = int.from_bytes(raw[4:8], order, signed=True)  # type: ignore[arg-type]
        camera = _camera(connection).rpartition("/")[2]  # estimates name cameras without the namespace
        key = (camera, seconds * 10**9 + int.from_bytes(raw[8:12], order))  # type: ignore[arg-type]
        if key in wanted:
            found[key] = reader.deserialize(raw, connection.msgtype)
    return found


def _image_connections(reader: AnyReader) -> list[Connection]:
    return [one for one in reader.connections if one.msgtype == IMAGE_TYPE and IMAGE_TOPIC.match(one.topic)]


def _camera(connection: Connection) -> str:
    match = IMAGE_TOPIC.match(connection.topic)
    assert match is not None  # only such topics are read
    return match["camera"]


def _stamp(message: Any) -> int:
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def _keys(message: Any, field: str = "stamps") -> list[Key]:
    stamps = [int(stamp.sec) * 10**9 + int(stamp.nanosec) for stamp in getattr(message, field)]
    return list(zip(message.views, stamps, strict=True))


def _recorded(message: Any) -> Recorded:
    pose = message.pose.pose
    return Recorded(pose.position.x, pose.position.y, _yaw(pose.orientation), message.engine)


def _yaw(q: Any) -> float:
    """Yaw modulo pi of the x axis that a quaternion turns to."""
    axis: Array = np.array([1.0 - 2.0 * (q.y**2 + q.z**2), 2.0 * (q.x * q.y + q.w * q.z)])
    return float(wrap(np.arctan2(axis[1], axis[0]), np.pi))
