"""Meshes on the device: one buffer of vertices and one of triangles that all draw calls share."""

import moderngl
import numpy as np

from sim.meshes import Mesh, load_mesh
from sim.renderers.shells import is_closed

VERTICES, INDICES = 1 << 18, 3 << 18  # 8 MiB and 3 MiB to begin with
FLOATS = 8  # position, normal, uv
STRIDE = 4 * FLOATS


class MeshPool:
    """Where each mesh lies in the buffers. A full pool is emptied, so that memory stays bounded however many meshes
    there are; it grows only for one scene that does not fit."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self._places: dict[str, tuple[tuple[int, int, int, bool], np.ndarray]] = {}
        self._reserve(VERTICES, INDICES)

    def _reserve(self, vertices: int, indices: int) -> None:
        self._limits = (vertices, indices)
        self.vertices = self._gl.buffer(reserve=STRIDE * vertices)
        self.indices = self._gl.buffer(reserve=4 * indices)
        self._used = [0, 0]

    def place(self, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """For N names: (N, 4) int32 number of indices, first index, first vertex and whether the mesh is closed, and
        (N, 8) centre and radius in m of a ball about the mesh, the areas in m2 that it shows along x, y and z, and
        the area of its UV. Raises ValueError for an unknown name."""
        if not all(name in self._places for name in names) and not self._upload(names):
            self._places.clear()
            self._used = [0, 0]
            if not self._upload(names):
                self._grow(names)
        found = [self._places[name] for name in names]
        return np.array([place for place, _ in found]), np.array([size for _, size in found])

    def _upload(self, names: list[str]) -> bool:
        """Write what is missing; False as soon as something does not fit."""
        for name in names:
            if name in self._places:
                continue
            mesh = load_mesh(name)
            first_vertex, first_index = self._used
            if first_vertex + len(mesh.vertices) > self._limits[0] or first_index + mesh.faces.size > self._limits[1]:
                return False
            packed = np.concatenate([mesh.vertices, mesh.normals, mesh.uv], axis=1, dtype=np.float32)
            self.vertices.write(packed, offset=STRIDE * first_vertex)
            self.indices.write(np.ascontiguousarray(mesh.faces, np.int32), offset=4 * first_index)
            place = (mesh.faces.size, first_index, first_vertex, is_closed(mesh))
            self._places[name] = (place, np.concatenate([_ball(mesh.vertices), _areas(mesh)]))
            self._used = [first_vertex + len(mesh.vertices), first_index + mesh.faces.size]
        return True

    def _grow(self, names: list[str]) -> None:
        meshes = [load_mesh(name) for name in set(names)]
        self.vertices.release()
        self.indices.release()
        self._places.clear()
        vertices, indices = sum(len(mesh.vertices) for mesh in meshes), sum(mesh.faces.size for mesh in meshes)
        self._reserve(max(2 * vertices, VERTICES), max(2 * indices, INDICES))
        self._upload(names)


def _ball(vertices: np.ndarray) -> np.ndarray:
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return np.array([*middle, np.linalg.norm(vertices - middle, axis=1).max()])


def _areas(mesh: Mesh) -> np.ndarray:
    """(4,) the sum over the triangles of their areas seen along x, y and z, and in UV."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    u, v, w = (mesh.uv[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    flat = (v - u)[:, 0] * (w - u)[:, 1] - (v - u)[:, 1] * (w - u)[:, 0]
    return np.append(np.abs(np.cross(b - a, c - a)).sum(axis=0), np.abs(flat).sum()) / 2
