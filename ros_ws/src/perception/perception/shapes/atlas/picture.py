"""A picture as a network for atlases sees it: square, of its size, on white where it is transparent."""

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import ImageError
from perception.images import Image

MARGIN = 0.12
"""Of the larger side, around what is not transparent."""
_LEAST_ALPHA = 16
_FEWEST_SEEN = 64  # px
_LEAST_CONTRAST = 4.0  # standard deviation of grey values


def framed(image: Image, alpha: NDArray[np.uint8] | None, size: int) -> Image:
    """(size, size, 3) of a picture (H, W, 3): with alpha (H, W) what that shows, on white, cut out with a margin, else
    the middle square.

    Raises ImageError where the picture is all of one colour, or all of it is transparent: it shows no object.
    """
    if alpha is not None and alpha.min() < 255:
        rows, columns = np.nonzero(alpha > _LEAST_ALPHA)
        if len(rows) < _FEWEST_SEEN:
            raise ImageError("the picture is all transparent: give one that shows an object.", "empty")
        share = alpha[..., None] / 255
        shown = np.rint(image * share + 255 * (1 - share)).astype(np.uint8)
        low, high = (rows.min(), columns.min()), (rows.max() + 1, columns.max() + 1)
        image = _square_around(shown, low, high)
    else:
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        image = image[top : top + side, left : left + side]
    if float(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).std()) < _LEAST_CONTRAST:
        raise ImageError("the picture is all of one colour: give one that shows an object.", "empty")
    method = cv2.INTER_AREA if len(image) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(image), (size, size), interpolation=method), dtype=np.uint8)


def _square_around(image: Image, low: tuple[int, int], high: tuple[int, int]) -> Image:
    """A square part around a box, white where it goes beyond the picture."""
    tall, wide = high[0] - low[0], high[1] - low[1]
    side = int(np.ceil(max(tall, wide) * (1 + 2 * MARGIN)))
    out = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - tall) // 2, (side - wide) // 2
    out[top : top + tall, left : left + wide] = image[low[0] : high[0], low[1] : high[1]]
    return out
