"""Uneven ground: height fields by name, `terrain/KIND/SEED`, about the support plane around the robot's base.

A ground's mesh has heights of at most 1 around the workspace; a body scales it along z to metres. It is level where
the robot stands, fine where blocks lie, coarse and rougher far away, and gravel and dirt carry half-buried stones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.meshes import Mesh, mesh_of
from sim.random_streams import stream

LINES = 41  # grid lines per axis
MIDDLE_M = (0.3, 0.0)
FINE_M, HALF_SIDE_M = 0.75, 4.0
LEVEL_M, RISEN_M = (
    0.14,
    0.30,
)  # level within the first distance of the base's axis, as uneven as it gets at the second
NEAR_M = 1.0  # heights are at most 1 this far around the middle


@dataclass(frozen=True)
class Kind:
    """Waves of lengths_m (shortest, longest), steep: height over length falls with this power, stones per ground."""

    lengths_m: tuple[float, float]
    power: float
    stones: int = 0
    aligned: bool = False


_KINDS = {
    "dirt": Kind((0.08, 0.8), 0.8, stones=24),
    "gravel": Kind((0.07, 0.3), 0.4, stones=90),
    "mounds": Kind((0.35, 1.2), 1.0),
    "ripples": Kind((0.07, 0.16), 0.0, aligned=True),
}
KINDS = tuple(_KINDS)
WAVES = 24
GROUND_SHARE = 0.6  # of the height of a ground with stones; the stones reach 1
STONE_RADIUS_M = (0.008, 0.026)
STONE_SIDES = 6


class Ground:
    """One ground of unit height: `mesh`, and its height anywhere."""

    def __init__(self, kind: str, seed: int) -> None:
        if kind not in _KINDS:
            raise ValueError(f"there is no ground {kind!r}; choose one of: {', '.join(KINDS)}.")
        rng, shape = stream(seed, 0, f"terrain {kind}"), _KINDS[kind]
        steps = np.linspace(-1, 1, LINES)
        self._lines = FINE_M * steps + (HALF_SIDE_M - FINE_M) * steps**7
        self._heights = self._sampled(rng, shape)
        if shape.stones:
            self._heights *= GROUND_SHARE
        self._stones = self._scattered(rng, shape.stones)
        self.mesh = self._mesh()

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Heights of the surface, of the shape of x and y (m, base frame), for a scale of 1 along z."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        height = self._of_grid(x, y)
        if len(self._stones):
            u, v, radius, tall, foot = (column[:, None] for column in self._stones.T)
            far = ((x.ravel() - u) ** 2 + (y.ravel() - v) ** 2) / radius**2
            caps = np.where(far < 1, foot + tall * np.sqrt(np.clip(1 - far, 0, None)), -np.inf)
            height = np.maximum(height, caps.max(axis=0).reshape(x.shape))
        return height

    def _of_grid(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The height of the grid's triangles: each cell is split from its low corner to its high one."""
        i, s = self._cell(x - MIDDLE_M[0])
        j, t = self._cell(y - MIDDLE_M[1])
        h = self._heights
        corner = np.where(s > t, h[i + 1, j], h[i, j + 1])
        low, high = h[i, j], h[i + 1, j + 1]
        return np.where(
            s > t,
            low + s * (corner - low) + t * (high - corner),
            low + t * (corner - low) + s * (high - corner),
        )

    def _cell(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number of the cell of the grid and the place in it, 0 to 1; outside the grid those of its edge."""
        i = np.clip(np.searchsorted(self._lines, along, side="right") - 1, 0, LINES - 2)
        return i, np.clip((along - self._lines[i]) / (self._lines[i + 1] - self._lines[i]), 0, 1)

    def _sampled(self, rng: np.random.Generator, shape: Kind) -> np.ndarray:
        """(LINES, LINES) heights: random waves, level at the base, of height 1 near the middle, rougher far away."""
        x = (MIDDLE_M[0] + self._lines)[:, None]
        y = (MIDDLE_M[1] + self._lines)[None, :]
        shortest, longest = shape.lengths_m
        length = shortest * (longest / shortest) ** rng.random(WAVES)
        main = rng.uniform(-np.pi, np.pi)
        angle = main + 0.25 * rng.normal(size=WAVES) if shape.aligned else rng.uniform(-np.pi, np.pi, WAVES)
        phase = rng.uniform(0, 2 * np.pi, WAVES)
        heights = np.zeros((LINES, LINES))
        for wave in range(WAVES):
            turn = (
                2 * np.pi / length[wave] * (np.cos(angle[wave]) * x + np.sin(angle[wave]) * y) + phase[wave]
            )
            heights += length[wave] ** shape.power * np.sin(turn)
        middle = np.hypot(x - MIDDLE_M[0], y - MIDDLE_M[1])
        base = np.hypot(x, y)
        heights *= _smooth((base - LEVEL_M) / (RISEN_M - LEVEL_M)) / np.abs(heights[middle < NEAR_M]).max()
        return heights * (1 + 2 * _smooth((middle - NEAR_M) / (HALF_SIDE_M - NEAR_M)))

    def _scattered(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(stones, 5): x, y, radius, height over its foot, foot; none near the base or over another."""
        found: list[tuple[float, float, float, float, float]] = []
        for x, y, size, tall in rng.random((4 * count, 4)):
            place = np.array([MIDDLE_M[0] + FINE_M * (2 * x - 1), MIDDLE_M[1] + FINE_M * (2 * y - 1)])
            radius = STONE_RADIUS_M[0] * (STONE_RADIUS_M[1] / STONE_RADIUS_M[0]) ** size
            apart = all(np.hypot(place[0] - s[0], place[1] - s[1]) > radius + s[2] for s in found)
            if len(found) < count and apart and np.hypot(*place) > LEVEL_M + radius:
                foot = float(self._of_grid(place[0], place[1]))
                found.append((place[0], place[1], radius, (0.4 + 0.6 * tall) * (1 - foot), foot))
        return np.array(found).reshape(-1, 5)

    def _mesh(self) -> Mesh:
        x, y = np.meshgrid(MIDDLE_M[0] + self._lines, MIDDLE_M[1] + self._lines, indexing="ij")
        vertices = np.stack([x, y, self._heights], axis=-1).reshape(-1, 3)
        i, j = (index.ravel() for index in np.mgrid[: LINES - 1, : LINES - 1])
        low, right, high, left = (
            i * LINES + j,
            (i + 1) * LINES + j,
            (i + 1) * LINES + j + 1,
            i * LINES + j + 1,
        )
        faces = np.concatenate([np.stack([low, right, high], 1), np.stack([low, high, left], 1)])
        if len(self._stones):
            stones, domes = self._domes()
            faces = np.concatenate([faces, domes + len(vertices)])
            vertices = np.concatenate([vertices, stones])
        return mesh_of(vertices, faces)  # UV in metres

    def _domes(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and faces of the stones: each a ring on the ground, a smaller one above and a top."""
        turns = 2 * np.pi * np.arange(STONE_SIDES) / STONE_SIDES
        ring = np.stack([np.cos(turns), np.sin(turns), np.zeros(STONE_SIDES)], axis=1)
        upper = ring * 0.7 + (0, 0, np.sqrt(1 - 0.7**2))
        dome = np.concatenate([ring - (0, 0, 0.6), upper, [(0, 0, 1)]])
        k = np.arange(STONE_SIDES)
        after = (k + 1) % STONE_SIDES
        faces = np.concatenate(
            [
                np.stack([k, after, STONE_SIDES + after], 1),
                np.stack([k, STONE_SIDES + after, STONE_SIDES + k], 1),
                np.stack([STONE_SIDES + k, STONE_SIDES + after, np.full(STONE_SIDES, 2 * STONE_SIDES)], 1),
            ]
        )
        count = len(self._stones)
        x, y, radius, tall, foot = self._stones.T
        scale = np.stack([radius, radius, tall], axis=1)
        vertices = dome[None] * scale[:, None] + np.stack([x, y, foot], axis=1)[:, None]
        all_faces = faces[None] + len(dome) * np.arange(count)[:, None, None]
        return vertices.reshape(-1, 3), all_faces.reshape(-1, 3)


def _smooth(share: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, a smooth step between."""
    share = np.clip(share, 0, 1)
    return share**2 * (3 - 2 * share)


@lru_cache(maxsize=256)
def ground(kind: str, seed: int) -> Ground:
    """The ground of that kind and seed; raises ValueError for a kind that there is not."""
    return Ground(kind, seed)


def load_ground(name: str) -> Mesh:
    """The mesh of ground KIND/SEED."""
    kind, _, seed = name.partition("/")
    if not seed.isdigit():
        raise ValueError(f"there is no mesh 'terrain/{name}': name it terrain/KIND/SEED.")
    return ground(kind, int(seed)).mesh
