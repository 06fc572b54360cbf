"""Meshes that are open, as parts of robots are: one sees the backs of their faces through the holes."""

import numpy as np

from sim.meshes import Mesh


def is_closed(mesh: Mesh) -> bool:
    """Whether every edge has a face on both sides, so that nobody outside sees the back of a face."""
    _, same = np.unique(mesh.vertices, axis=0, return_inverse=True)
    corners = same.reshape(-1)[mesh.faces]
    edges = np.sort(np.concatenate([corners[:, (0, 1)], corners[:, (1, 2)], corners[:, (2, 0)]]), axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]]
    return bool((np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all())


def two_sided(mesh: Mesh) -> Mesh:
    """The mesh with a second face behind each of its own that looks the other way."""
    return Mesh(
        np.concatenate([mesh.vertices, mesh.vertices]),
        np.concatenate([mesh.normals, -mesh.normals]),
        np.concatenate([mesh.uv, mesh.uv]),
        np.concatenate([mesh.faces, mesh.faces[:, ::-1] + len(mesh.vertices)]).astype(np.int32),
    )
