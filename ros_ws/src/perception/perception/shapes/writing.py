"""A shape in colours as a PLY file: Turk, "The PLY polygon file format", 1994."""

import numpy as np
from numpy.typing import NDArray

from perception.shapes.shape import Shape


def ply(shape: Shape, colours: NDArray[np.uint8]) -> bytes:
    """The bytes of a binary PLY file of the shape, in colours (N, 3) RGB of its points; coordinates in double
    precision, so that none is another than it was."""
    points = np.empty(len(shape.points), dtype=[("xyz", "<f8", 3), ("rgb", "u1", 3)])
    points["xyz"], points["rgb"] = shape.points, colours
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    header += [f"property double {axis}" for axis in "xyz"]
    header += [f"property uchar {colour}" for colour in ("red", "green", "blue")]
    body = points.tobytes()
    if shape.faces is not None:
        faces = np.empty(len(shape.faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
        faces["count"], faces["corners"] = 3, shape.faces
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
        body += faces.tobytes()
    return "\n".join([*header, "end_header", ""]).encode("ascii") + body
