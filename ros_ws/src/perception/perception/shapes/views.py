"""What a shape looks like from its six sides: small depth pictures, by which shapes are told apart.

Retrieval by views is Dex-Net 1.0's (Mahler et al., ICRA 2016, section IV), there with a network's features of many
views; for shapes that are brought into one pose by their fits, depths themselves do.
"""

import numpy as np
from numpy.typing import NDArray

from perception.shapes.shape import Points

SIDE = 16
REACH = 2.5
"""Half of the side of what is seen, in RMS radii of the shape."""


def depth_views(points: Points) -> NDArray[np.float32]:
    """(6 * SIDE * SIDE,) depths of normalised points (N, 3) along +-x, +-y, +-z: 1 at the near side of the cube that is
    seen, 0 where there is nothing."""
    cells = ((points / REACH + 1) / 2 * SIDE).astype(np.int64).clip(0, SIDE - 1)
    depth = (points / REACH).clip(-1, 1)
    views = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        place = cells[:, others[0]] * SIDE + cells[:, others[1]]
        for sign in (1.0, -1.0):
            view = np.zeros(SIDE * SIDE)
            np.maximum.at(view, place, (sign * depth[:, axis] + 1) / 2)
            views.append(view)
    return np.concatenate(views).astype(np.float32)
