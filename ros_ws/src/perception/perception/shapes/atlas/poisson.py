"""Closed surfaces through points with normals, by Poisson reconstruction, which open3d brings.

Kazhdan et al., "Poisson surface reconstruction" (SGP 2006): what AtlasNet's baseline of points and normals is made a
mesh with, and how its charts are made one closed surface.
"""

from typing import Any

import numpy as np

from perception.errors import ShapeError, reason
from perception.shapes.atlas.reconstruction import Atlas
from perception.shapes.shape import Points, Shape
from perception.shapes.visibility import seen_side

DEPTH = 7
"""Halvings of the box around the points: cells of an octree are as fine as that."""


def closed(points: Points, normals: Points) -> Shape:
    """A mesh through points (N, 3) with outward normals (N, 3) of any length.

    Raises ShapeError where open3d is not installed, or the points make no surface.
    """
    open3d = _open3d()
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    cloud.normals = open3d.utility.Vector3dVector(normals / np.maximum(lengths, 1e-12))
    mesh, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=DEPTH, n_threads=1)
    if not len(mesh.triangles):
        raise ShapeError("the points and their normals make no closed surface: write them as they are.", "degenerate")
    return Shape(np.asarray(mesh.vertices), np.asarray(mesh.triangles).astype(np.int64))


def closed_atlas(atlas: Atlas) -> Shape:
    """The charts of an atlas as one closed surface: their points, with their triangles' normals turned to where they
    are seen from; points that are hidden within are left out. Raises ShapeError as `closed` does, and for a cloud."""
    if atlas.faces is None:
        raise ShapeError("this network gives points without a surface: its points cannot be closed.", "type")
    normals = atlas.shape.normals
    side = seen_side(atlas.points, normals)
    seen = side != 0
    return closed(atlas.points[seen], side[seen, None] * normals[seen])


def _open3d() -> Any:
    try:
        import open3d
    except ModuleNotFoundError:
        raise ShapeError(
            "closing a surface takes open3d, which is not installed: pip install 'blockworld[shapes]'.", "missing"
        ) from None
    except ImportError as error:  # of a library of the system that it needs
        raise ShapeError(
            f"open3d cannot be loaded ({reason(error)}): install the library, on Debian libusb-1.0-0 libgl1 libx11-6.",
            "missing",
        ) from None
    return open3d
