"""Simpler templates, for losses that need the whole mesh in every step."""

import fast_simplification
import numpy as np

from perception.shapes.shape import Shape


def simplified(mesh: Shape, most_vertices: int) -> Shape:
    """The mesh with at most about so many vertices: edges collapsed where that changes its surface least (Garland and
    Heckbert, SIGGRAPH 1997)."""
    assert mesh.faces is not None
    count = len(mesh.points)
    if count <= most_vertices:
        return mesh
    points, faces = fast_simplification.simplify(
        mesh.points.astype(np.float32), mesh.faces.astype(np.int32), 1 - most_vertices / count
    )
    return Shape(points.astype(np.float64), faces.astype(np.int64))
