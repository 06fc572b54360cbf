"""Places in a picture as masks take them: x and y in [-1, 1], from its left and upper border to the others."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def pixel_centres(width: int, height: int, each: int = 1) -> Floats:
    """(height * width * each * each, 2), row by row of pixels; of each pixel `each` x `each` points, evenly spread."""
    x, y = axis(width, each), axis(height, each)
    found = np.empty((height, width, each, each, 2), np.float32)
    found[..., 0] = x.reshape(1, width, 1, each)
    found[..., 1] = y.reshape(height, 1, each, 1)
    return found.reshape(-1, 2)


def axis(count: int, each: int = 1) -> Floats:
    """(count * each,) middles of equal parts of [-1, 1]."""
    parts = count * each
    return ((2 * np.arange(parts) + 1) / parts - 1).astype(np.float32)
