"""Which axis of a file points up."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

UP = ("x", "y", "z", "-x", "-y", "-z")


def upright(up: str) -> "np.ndarray":
    """T_up_file (4, 4): the turn that brings an axis of a file, such as "-y", to +z."""
    import numpy as np

    cyclic = np.eye(3)[{"x": [1, 2, 0], "y": [2, 0, 1], "z": [0, 1, 2]}[up[-1]]]  # so that no shape is mirrored
    turn = np.eye(4)
    turn[:3, :3] = np.diag([1, -1, -1]) @ cyclic if up.startswith("-") else cyclic
    return turn
