"""Uneven ground: height fields by name, `terrain/KIND/SEED`, about the support plane around the robot's base.

A ground's mesh has heights of at most 1 around the workspace; a body scales it along z to metres. It is level where
the robot stands, fine where blocks lie, coarse and rougher far away, and gravel and dirt carry half-buried stones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.meshes import Mesh, mesh_of
from sim.random_streams import stream

MIDDLE_M = (0.3, 0.0)
FINE_M, HALF_SIDE_M = 0.75, 4.0
LEVEL_M, RISEN_M = 0.20, 0.33  # distances from the base's axis: grid points stay level up to the first
NEAR_M = 1.0  # heights are at most 1 this far around the middle


@dataclass(frozen=True)
class Kind:
    """Waves of lengths_m (shortest, longest), as high as their length to this power, of all directions or aligned;
    grid lines per axis, and stones per ground."""

    lengths_m: tuple[float, float]
    power: float
    lines: int = 41
    stones: int = 0
    aligned: bool = False


_KINDS = {
    "dirt": Kind((0.09, 0.8), 0.8, lines=37, stones=120),
    "gravel": Kind((0.12, 0.6), 0.6, lines=31, stones=210),
    "mounds": Kind((0.35, 1.2), 1.0),
    "ripples": Kind((0.07, 0.16), 0.0, aligned=True),
}
KINDS = tuple(_KINDS)
WAVES = 24
GROUND_SHARE = 0.5  # of the height of a ground with stones; the stones reach 1
STONES_M = ((-0.15, -0.6), (0.95, 0.6))  # low and high corner of where they lie
STONE_RADIUS_M = (0.007, 0.028)
STONE_SIDES = 5
CELL_M = 0.005


class Ground:
    """One ground of unit height: `mesh`, and its height anywhere."""

    def __init__(self, kind: str, seed: int) -> None:
        if kind not in _KINDS:
            raise ValueError(f"there is no ground {kind!r}; choose one of: {', '.join(KINDS)}.")
        rng, shape = stream(seed, 0, f"terrain {kind}"), _KINDS[kind]
        steps = np.linspace(-1, 1, shape.lines)
        self._lines = FINE_M * steps + (HALF_SIDE_M - FINE_M) * steps**7
        self._heights = self._sampled(rng, shape)
        if shape.stones:
            self._heights *= GROUND_SHARE
        self._stones = self._scattered(rng, shape.stones)
        self._stone_at = self._stone_map()
        self.mesh = self._mesh(rng)

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Heights of the surface, of the shape of x and y (m, base frame), for a scale of 1 along z."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        height = self._of_grid(x, y)
        if len(self._stones):
            (x0, y0), (rows, columns) = np.array(STONES_M[0]) - STONE_RADIUS_M[1], self._stone_at.shape
            i = np.clip(((x - x0) / CELL_M).astype(int), 0, rows - 1)
            j = np.clip(((y - y0) / CELL_M).astype(int), 0, columns - 1)
            u, v, radius, tall, foot = self._stones[self._stone_at[i, j]].transpose(-1, *range(x.ndim))
            far = ((x - u) ** 2 + (y - v) ** 2) / radius**2
            height = np.where(
                far < 1, np.maximum(height, foot + tall * np.sqrt(np.maximum(1 - far, 0))), height
            )
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
        i = np.clip(np.searchsorted(self._lines, along, side="right") - 1, 0, len(self._lines) - 2)
        return i, np.clip((along - self._lines[i]) / (self._lines[i + 1] - self._lines[i]), 0, 1)

    def _sampled(self, rng: np.random.Generator, shape: Kind) -> np.ndarray:
        """(lines, lines) heights: random waves, level at the base, of height 1 near the middle, rougher far away."""
        x = (MIDDLE_M[0] + self._lines)[:, None]
        y = (MIDDLE_M[1] + self._lines)[None, :]
        shortest, longest = shape.lengths_m
        length = shortest * (longest / shortest) ** rng.random(WAVES)
        main = rng.uniform(-np.pi, np.pi)
        angle = main + 0.25 * rng.normal(size=WAVES) if shape.aligned else rng.uniform(-np.pi, np.pi, WAVES)
        phase = rng.uniform(0, 2 * np.pi, WAVES)
        heights = np.zeros((shape.lines, shape.lines))
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
        across, along, size, tall = rng.random((4, 4 * count))
        (x0, y0), (x1, y1) = STONES_M
        x, y = x0 + (x1 - x0) * across, y0 + (y1 - y0) * along
        radius = STONE_RADIUS_M[0] * (STONE_RADIUS_M[1] / STONE_RADIUS_M[0]) ** size**1.5
        apart = np.hypot(x[:, None] - x, y[:, None] - y) > radius[:, None] + radius
        kept: list[int] = []
        for number in np.flatnonzero(np.hypot(x, y) > LEVEL_M + radius).tolist():
            if len(kept) < count and apart[number, kept].all():
                kept.append(number)
        foot = self._of_grid(x[kept], y[kept])
        return np.stack([x[kept], y[kept], radius[kept], (0.4 + 0.6 * tall[kept]) * (1 - foot), foot], axis=1)

    def _stone_map(self) -> np.ndarray:
        """(rows, columns) number of the stone that a cell of CELL_M belongs to: the one whose rim is nearest."""
        low, high = np.array(STONES_M[0]) - STONE_RADIUS_M[1], np.array(STONES_M[1]) + STONE_RADIUS_M[1]
        rows, columns = np.ceil((high - low) / CELL_M).astype(int)
        x, y = low[0] + CELL_M * (np.arange(rows) + 0.5), low[1] + CELL_M * (np.arange(columns) + 0.5)
        owner, nearest = np.zeros((rows, columns), np.int16), np.full((rows, columns), np.inf)
        for number, (u, v, radius, _, _) in enumerate(self._stones):
            i, j = int((u - low[0]) / CELL_M), int((v - low[1]) / CELL_M)
            reach = int(radius / CELL_M) + 2
            part = (slice(max(i - reach, 0), i + reach + 1), slice(max(j - reach, 0), j + reach + 1))
            rim = np.hypot(x[part[0], None] - u, y[None, part[1]] - v) - radius
            closer = rim < nearest[part]
            owner[part][closer], nearest[part][closer] = number, rim[closer]
        return owner

    def _mesh(self, rng: np.random.Generator) -> Mesh:
        count = len(self._lines)
        x, y = np.meshgrid(MIDDLE_M[0] + self._lines, MIDDLE_M[1] + self._lines, indexing="ij")
        vertices = np.stack([x, y, self._heights], axis=-1).reshape(-1, 3)
        i, j = (index.ravel() for index in np.mgrid[: count - 1, : count - 1])
        low, right = i * count + j, (i + 1) * count + j
        high, left = right + 1, low + 1
        faces = np.concatenate([np.stack([low, right, high], 1), np.stack([low, high, left], 1)])
        if len(self._stones):
            stones, domes = self._domes(rng)
            faces = np.concatenate([faces, domes + len(vertices)])
            vertices = np.concatenate([vertices, stones])
        return mesh_of(vertices, faces)  # UV in metres

    def _domes(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and faces of the stones: each a ring in the ground, a smaller one above and a top, all within the
        half of an ellipsoid that `height` takes it for."""
        count, sides = len(self._stones), STONE_SIDES
        turns = (
            2
            * np.pi
            * (np.arange(sides) + rng.random((count, 1)) + 0.25 * rng.uniform(-1, 1, (count, sides)))
        )
        turns /= sides
        flat = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        ring = np.concatenate(
            [flat * rng.uniform(0.8, 1, (count, sides, 1)), np.full((count, sides, 1), -0.8)], axis=2
        )
        width = rng.uniform(0.5, 0.8, (count, sides, 1))
        upper = np.concatenate(
            [flat * width, rng.uniform(0.85, 1, width.shape) * np.sqrt(1 - width**2)], axis=2
        )
        top = np.concatenate([rng.uniform(-0.25, 0.25, (count, 1, 2)), np.full((count, 1, 1), 0.93)], axis=2)
        x, y, radius, tall, foot = self._stones.T
        scale, place = np.stack([radius, radius, tall], axis=1), np.stack([x, y, foot], axis=1)
        domes = np.concatenate([ring, upper, top], axis=1) * scale[:, None] + place[:, None]
        k = np.arange(sides)
        after = (k + 1) % sides
        faces = np.concatenate(
            [
                np.stack([k, after, sides + after], 1),
                np.stack([k, sides + after, sides + k], 1),
                np.stack([sides + k, sides + after, np.full(sides, 2 * sides)], 1),
            ]
        )
        every = faces[None] + domes.shape[1] * np.arange(count)[:, None, None]
        return domes.reshape(-1, 3), every.reshape(-1, 3)


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
