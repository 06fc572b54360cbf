"""Meshes by name: primitives of unit size, the parts of robots, uneven ground, and things that lie around.

A name says all: two processes that load it get the same arrays. Primitives fill the cube [-0.5, 0.5]^3; `plane` is
the square of that size at z = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles: vertices (N, 3) m, normals (N, 3) unit, uv (N, 2), all float32; faces (M, 3) int32,
    counter-clockwise from outside."""

    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    faces: np.ndarray


def box() -> Mesh:
    """The unit cube, each face with the whole texture."""
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    vertices, normals, uv = [], [], []
    faces: list[np.ndarray] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            face = np.zeros((4, 3))
            face[:, u], face[:, v], face[:, axis] = corners[:, 0], corners[:, 1], sign / 2
            first = 4 * len(faces)
            vertices.append(face)
            normals.append(np.eye(3)[[axis] * 4] * sign)
            uv.append(corners + 0.5)
            order = np.array([(0, 1, 2), (0, 2, 3)])
            faces.append(first + (order if sign > 0 else order[:, ::-1]))
    return mesh_of(np.concatenate(vertices), np.concatenate(faces), np.concatenate(uv), np.concatenate(normals))


def plane() -> Mesh:
    """The unit square at z = 0 that faces up."""
    corners = np.array([(-0.5, -0.5, 0.0), (0.5, -0.5, 0.0), (0.5, 0.5, 0.0), (-0.5, 0.5, 0.0)])
    return mesh_of(corners, np.array([(0, 1, 2), (0, 2, 3)]), corners[:, :2] + 0.5)


def revolved(profile: np.ndarray, segments: int = 24) -> Mesh:
    """A profile (P, 2) of (radius, z), from the bottom up, turned about z; smooth where the profile turns little."""
    turns = np.linspace(0, 2 * np.pi, segments + 1)
    # Each band has its own vertices, so that edges stay sharp.
    rows = np.stack([profile[:-1], profile[1:]], axis=1).reshape(-1, 2)
    points = _round_z(rows, turns)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    along = np.repeat(length / length[-1], 2)[1:-1]
    uv = np.stack(np.broadcast_arrays((turns / (2 * np.pi))[None, :], along[:, None]), axis=-1)
    count = segments + 1
    low = ((2 * count) * np.arange(len(profile) - 1)[:, None] + np.arange(segments)).ravel()
    high = low + count
    faces = np.stack([low, low + 1, high + 1, low, high + 1, high], axis=1).reshape(-1, 3)
    tangents = np.repeat(np.diff(profile, axis=0), 2, axis=0)
    outward = np.stack([tangents[:, 1], -tangents[:, 0]], axis=1)
    for band in range(len(profile) - 2):  # smooth joints: bands that meet at less than 40 degrees
        below, above = outward[2 * band + 1], outward[2 * band + 2]
        if below @ above > np.cos(np.radians(40)) * np.linalg.norm(below) * np.linalg.norm(above):
            mean = below / np.linalg.norm(below) + above / np.linalg.norm(above)
            outward[2 * band + 1] = outward[2 * band + 2] = mean
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    normals = _round_z(outward, turns)
    flat = points.reshape(-1, 3)
    a, b, c = (flat[faces[:, i]] for i in range(3))
    solid = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-12  # poles make triangles of no area
    return mesh_of(flat, faces[solid], uv.reshape(-1, 2), normals.reshape(-1, 3))


def _round_z(rows: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """(R, T, 3) rows (R, 2) of (radius, z), turned about z by each angle (T,)."""
    radius, z = rows[:, :1], rows[:, 1:]
    return np.stack(np.broadcast_arrays(radius * np.cos(turns), radius * np.sin(turns), z), axis=-1)


def cylinder() -> Mesh:
    """Diameter and height 1, with caps."""
    return revolved(np.array([(0, -0.5), (0.5, -0.5), (0.5, 0.5), (0, 0.5)]))


def cone() -> Mesh:
    """Base diameter and height 1."""
    return revolved(np.array([(0, -0.5), (0.5, -0.5), (0, 0.5)]))


def sphere() -> Mesh:
    """Diameter 1."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 13)
    return revolved(0.5 * np.stack([np.cos(angles).clip(0), np.sin(angles)], axis=1))


def mesh_of(
    vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray | None = None, normals: np.ndarray | None = None
) -> Mesh:
    """A mesh of arrays of any type; normals are averaged over the faces where they are missing."""
    if normals is None:
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        each = np.cross(b - a, c - a)
        normals = np.zeros((len(vertices), 3))
        for corner in range(3):
            np.add.at(normals, faces[:, corner], each)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    if uv is None:
        uv = vertices[:, :2]
    return Mesh(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(uv, np.float32),
        np.ascontiguousarray(faces, np.int32),
    )


def creased(vertices: np.ndarray, faces: np.ndarray, angle_rad: float = np.radians(35)) -> Mesh:
    """A mesh whose normals are averaged over faces that meet at less than an angle: each corner is a vertex of its
    own, so that edges stay sharp."""
    from scipy.sparse import csr_matrix  # which takes longer to import than a robot's parts to load

    a, b, c = (vertices[faces[:, i]] for i in range(3))
    each = np.cross(b - a, c - a)
    units = each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-12)
    corners, count = faces.ravel(), len(faces)
    ones = np.ones(3 * count)
    at_vertex = csr_matrix((ones, (corners, np.repeat(np.arange(count), 3))), (len(vertices), count))
    corner, face = at_vertex[corners].nonzero()
    smooth = np.einsum("nd,nd->n", units[corner // 3], units[face]) > np.cos(angle_rad)
    weight = csr_matrix((ones[:1].repeat(smooth.sum()), (corner[smooth], face[smooth])), (3 * count, count))
    normals = weight @ each
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return mesh_of(vertices[corners], np.arange(3 * count).reshape(-1, 3), normals=normals)


PRIMITIVES: dict[str, Callable[[], Mesh]] = {
    "box": box,
    "plane": plane,
    "cylinder": cylinder,
    "cone": cone,
    "sphere": sphere,
}


@lru_cache(maxsize=1024)
def load_mesh(name: str) -> Mesh:
    """The mesh of that name; raises ValueError for one that there is not."""
    if name in PRIMITIVES:
        return PRIMITIVES[name]()
    family, _, rest = name.partition("/")
    if family == "robot":
        from sim.robots import load_part

        return load_part(rest)
    if family == "terrain":
        from sim.terrain import load_ground

        return load_ground(rest)
    if family == "distractor":
        from sim.distractors import load_distractor

        return load_distractor(rest)
    if family == "shape":
        from sim.shapes import ASSEMBLIES, load_shape

        shape = load_shape(rest)
        return (creased if shape.category in ASSEMBLIES else mesh_of)(shape.vertices, shape.faces)
    if family == "file":
        from perception.shapes.reading import read_shape

        read = read_shape(Path(rest))
        if read.faces is None:
            raise ValueError(f"{rest} is a cloud, not a mesh: give a file with triangles.")
        return creased(read.points, read.faces)
    raise ValueError(
        f"there is no mesh {name!r}; choose one of: {', '.join(PRIMITIVES)}, robot/NAME/PART, terrain/KIND/SEED, "
        "distractor/KIND/SEED, shape/CATEGORY/SEED/INDEX, file/PATH."
    )
