"""Images of ROS messages as arrays, by `rosbags-image`: on a robot, from a bag and in the tests alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception import images
from perception.errors import ImageError

BYTES_PER_PIXEL = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "mono16": 2}
_BLUE_FIRST = ("bgr8", "bgra8")


def check_image_message(message: Any) -> None:
    """Raise ImageError unless a sensor_msgs/Image message is whole and of an encoding that is understood; its kind is
    "encoding", "size", "step" or "data length"."""
    size = f"{message.width} x {message.height}"
    if message.encoding not in BYTES_PER_PIXEL:
        raise ImageError(
            f"the image has encoding '{message.encoding}': publish one of {', '.join(BYTES_PER_PIXEL)}.", "encoding"
        )
    images.check_size(message.width, message.height)
    row = message.width * BYTES_PER_PIXEL[message.encoding]
    if message.step < row:
        raise ImageError(
            f"the image of {size} pixels in {message.encoding} has a step of {message.step} bytes: "
            f"a row needs at least {row}.",
            "step",
        )
    if len(message.data) != message.step * message.height:
        raise ImageError(
            f"the image of {size} pixels holds {len(message.data)} bytes: "
            f"step x height is {message.step * message.height}.",
            "data length",
        )


def image_from_message(message: Any) -> NDArray[np.uint8]:
    """The picture (H, W, 3) uint8 RGB of a sensor_msgs/Image message of rclpy or of a bag.

    Grey, alpha and 16 bits become RGB as `perception.images.prepare` has it. Raises ImageError, naming what is wrong,
    for an unknown encoding or a size that does not fit the data.
    """
    check_image_message(message)
    image = _values(message)
    if message.encoding in _BLUE_FIRST:
        image = image[..., [2, 1, 0]]
    return np.ascontiguousarray(images.prepare(image))


def _values(message: Any) -> NDArray[Any]:
    """The values as they were sent, in this machine's byte order."""
    from rosbags.image import image_to_cvimage

    row = message.width * BYTES_PER_PIXEL[message.encoding]
    if message.step != row:  # rosbags-image takes every row as unpadded
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)[:, :row]
        message = _Unpadded(message, np.ascontiguousarray(rows).reshape(-1))
    return np.array(image_to_cvimage(message))


class _Unpadded:
    """The fields of an image message that a conversion reads, with rows that follow one another directly."""

    def __init__(self, message: Any, data: NDArray[np.uint8]) -> None:
        self.height, self.width, self.encoding = message.height, message.width, message.encoding
        self.is_bigendian, self.data = message.is_bigendian, data
