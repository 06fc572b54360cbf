"""Shapes of the photoreal sets, in metres: boxes with rounded edges, stones, sheets, ground, cables, lathe work."""

import numpy as np
from scipy.spatial import ConvexHull

from sim.meshes import Mesh, mesh_of, revolved


def rounded_box(size_m: tuple[float, float, float], radius_m: float = 0.003, steps: int = 3) -> Mesh:
    """A box about the origin whose edges are rounded by radius_m, in `steps` facets each."""
    half = np.asarray(size_m) / 2
    radius = min(radius_m, half.min() * 0.95)
    turn = np.tan(
        np.linspace(0, np.pi / 4, steps + 1)
    )  # towards the cube's edge, where it meets the next face
    vertices, normals, faces = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            a, b = (axis + 1) % 3, (axis + 2) % 3
            steps_a = np.concatenate([-1 - turn[::-1], 1 + turn])  # beyond 1: on the rounding
            grid_a, grid_b = np.meshgrid(steps_a, steps_a, indexing="ij")
            outward = np.zeros((*grid_a.shape, 3))
            outward[..., axis] = sign
            outward[..., a] = np.sign(grid_a) * (np.abs(grid_a) - 1)
            outward[..., b] = np.sign(grid_b) * (np.abs(grid_b) - 1)
            outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
            core = np.zeros_like(outward)
            core[..., axis] = sign * (half[axis] - radius)
            core[..., a] = np.sign(grid_a) * (half[a] - radius)
            core[..., b] = np.sign(grid_b) * (half[b] - radius)
            first = sum(len(v) for v in vertices)
            vertices.append((core + radius * outward).reshape(-1, 3))
            normals.append(outward.reshape(-1, 3))
            faces.append(first + _grid_faces(len(steps_a), len(steps_a), flipped=sign < 0))
    points = np.concatenate(vertices)
    return mesh_of(points, np.concatenate(faces), points[:, :2], np.concatenate(normals))


def _grid_faces(rows: int, columns: int, flipped: bool = False) -> np.ndarray:
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    b, c, d = a + columns, a + columns + 1, a + 1
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return faces[:, ::-1] if flipped else faces


def ground(heights_m: np.ndarray, x_m: np.ndarray, y_m: np.ndarray) -> Mesh:
    """A height field (X, Y) over the given coordinates (X,), (Y,); UV is x, y in metres."""
    grid_x, grid_y = np.meshgrid(x_m, y_m, indexing="ij")
    points = np.stack([grid_x, grid_y, heights_m], axis=-1).reshape(-1, 3)
    return mesh_of(points, _grid_faces(len(x_m), len(y_m)), points[:, :2])


def sheet(rng: np.random.Generator, width_m: float, height_m: float, bend_m: float) -> Mesh:
    """A paper lying at z >= 0, its corners lifted by up to bend_m; UV spans it once."""
    u, v = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 24), indexing="ij")
    lift = np.zeros_like(u)
    for corner in np.array([(0, 0), (0, 1), (1, 0), (1, 1)]):
        away = np.hypot(u - corner[0], v - corner[1])
        lift += rng.uniform(0, 1) * np.clip(1 - away / rng.uniform(0.4, 0.9), 0, 1) ** 2
    wave = (
        np.sin(2 * np.pi * (u * rng.uniform(-1.5, 1.5) + v * rng.uniform(-1.5, 1.5)) + rng.uniform(0, 6)) + 1
    )
    z = bend_m * (0.8 * lift + 0.06 * wave) + 4e-4
    points = np.stack([(u - 0.5) * width_m, (v - 0.5) * height_m, z], axis=-1).reshape(-1, 3)
    return mesh_of(points, _grid_faces(24, 24), np.stack([u, v], axis=-1).reshape(-1, 2))


def icosphere(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vertices (N, 3) and faces (M, 3) of an icosahedron whose faces were split `level` times."""
    golden = (1 + 5**0.5) / 2
    vertices = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    vertices = [tuple(np.roll(v, s)) for s in (0, 1, 2) for v in vertices]
    points = np.array(vertices, float) / np.hypot(1, golden)
    while True:
        hull = ConvexHull(points)
        faces = hull.simplices
        outward = np.einsum(
            "ij,ij->i",
            hull.equations[:, :3],
            np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]]),
        )
        faces = np.where(outward[:, None] > 0, faces, faces[:, ::-1])
        if level == 0:
            return points, faces
        edges = np.unique(
            np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1), axis=0
        )
        middles = points[edges].mean(axis=1)
        points = np.concatenate([points, middles / np.linalg.norm(middles, axis=1, keepdims=True)])
        level -= 1


def stone(rng: np.random.Generator, level: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A pebble or a piece of broken rock of about unit diameter: vertices (N, 3), faces (M, 3)."""
    points, faces = icosphere(level)
    for _ in range(int(rng.integers(4, 11))):  # each cut leaves a facet
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        depth = rng.uniform(0.55, 0.95)
        over = np.clip(points @ normal - depth, 0, None)
        points = points - over[:, None] * normal * rng.uniform(0.7, 1.0)
    wave = rng.normal(size=(5, 3)) * 2.2
    points = points * (1 + 0.03 * np.sin(points @ wave.T + rng.uniform(0, 6, 5)).sum(axis=1))[:, None]
    return points * (0.5, 0.5 * rng.uniform(0.65, 1.0), 0.5 * rng.uniform(0.4, 0.8)), faces


def heap(
    kinds: list[tuple[np.ndarray, np.ndarray]],
    which: np.ndarray,
    places: np.ndarray,
    turns: np.ndarray,
    sizes: np.ndarray,
    colours: np.ndarray,
) -> tuple[Mesh, np.ndarray]:
    """Many stones as one mesh, and its tint: which (N,) kind, places (N, 3), turns (N, 3, 3), sizes (N,) m,
    colours (N, 3) linear."""
    vertices, faces, tint, first = [], [], [], 0
    for number, (points, triangles) in enumerate(kinds):
        chosen = np.flatnonzero(which == number)
        if not len(chosen):
            continue
        moved = (
            np.einsum("nij,vj->nvi", turns[chosen], points) * sizes[chosen, None, None] + places[chosen, None]
        )
        vertices.append(moved.reshape(-1, 3))
        offsets = first + len(points) * np.arange(len(chosen))
        faces.append((triangles[None] + offsets[:, None, None]).reshape(-1, 3))
        tint.append(np.repeat(colours[chosen], len(points), axis=0))
        first += len(points) * len(chosen)
    return mesh_of(np.concatenate(vertices), np.concatenate(faces)), np.concatenate(tint)


def cable(points_m: np.ndarray, radius_m: float) -> Mesh:
    """A tube along points (N, 3)."""
    along = np.gradient(points_m, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, (0, 0, 1.0))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    up = np.cross(side, along)
    turn = np.linspace(0, 2 * np.pi, 13)
    normals = np.cos(turn)[None, :, None] * side[:, None] + np.sin(turn)[None, :, None] * up[:, None]
    vertices = points_m[:, None] + radius_m * normals
    faces = _grid_faces(len(points_m), len(turn))
    return mesh_of(vertices.reshape(-1, 3), faces, None, normals.reshape(-1, 3))


def turned(profile_m: list[tuple[float, float]], segments: int = 40) -> Mesh:
    """Lathe work of a profile of (radius, z), from the bottom up."""
    return revolved(np.array(profile_m, float), segments)
