"""Images of ROS messages as arrays: `cv_bridge` where it imports, `rosbags-image` elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import ImageError
from perception.images import SMALLEST_SIDE_PX

BYTES_PER_PIXEL = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}


def check_image_message(message: Any) -> None:
    """Raise ImageError unless a sensor_msgs/Image message is whole and of an encoding that is understood."""
    size = f"{message.width} x {message.height}"
    if message.encoding not in BYTES_PER_PIXEL:
        raise ImageError(
            f"the image has encoding '{message.encoding}': publish one of {', '.join(BYTES_PER_PIXEL)}."
        )
    if min(message.width, message.height) < SMALLEST_SIDE_PX:
        raise ImageError(f"the image is {size} pixels: publish at least {SMALLEST_SIDE_PX} pixels a side.")
    row = message.width * BYTES_PER_PIXEL[message.encoding]
    if message.step < row:
        raise ImageError(
            f"the image of {size} pixels in {message.encoding} has a step of {message.step} bytes: "
            f"a row needs at least {row}."
        )
    if len(message.data) != message.step * message.height:
        raise ImageError(
            f"the image of {size} pixels holds {len(message.data)} bytes: "
            f"step x height is {message.step * message.height}."
        )


def image_from_message(message: Any) -> NDArray[np.uint8]:
    """The picture (H, W, 3) uint8 RGB of a sensor_msgs/Image message of rclpy or of a bag.

    Raises ImageError, naming what is wrong, for an unknown encoding or a size that does not fit the data.
    """
    check_image_message(message)
    try:
        from cv_bridge import CvBridge
    except ImportError:
        return _with_rosbags(message)
    return np.ascontiguousarray(CvBridge().imgmsg_to_cv2(message, desired_encoding="rgb8"))


def _with_rosbags(message: Any) -> NDArray[np.uint8]:
    from rosbags.image import image_to_cvimage

    row = message.width * BYTES_PER_PIXEL[message.encoding]
    if message.step != row:  # rosbags-image takes every row as unpadded
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)[:, :row]
        message = _Unpadded(message, np.ascontiguousarray(rows).reshape(-1))
    return np.array(image_to_cvimage(message, "rgb8"), dtype=np.uint8)


class _Unpadded:
    """The fields of an image message that a conversion reads, with rows that follow one another directly."""

    def __init__(self, message: Any, data: NDArray[np.uint8]) -> None:
        self.height, self.width, self.encoding = message.height, message.width, message.encoding
        self.is_bigendian, self.data = message.is_bigendian, data
