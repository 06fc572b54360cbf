"""What everything stands on: a flat plane, a table, or uneven ground, and how things lie on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim.random_streams import stream
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import happens, one_of, within
from sim.randomization.surfaces import surface
from sim.robots import RobotDescription
from sim.scene import ROOM, SUPPORT, Body, Material
from sim.terrain import ground

TABLE_TOP_M, LEG_M = 0.04, 0.06
FOOTPRINT = np.stack(
    np.meshgrid(np.linspace(-0.5, 0.5, 15), np.linspace(-0.5, 0.5, 9), indexing="ij"), -1
).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Support:
    """bodies: what is seen of it. kind, seed, amplitude_m: of uneven ground, kind None where it is flat. low, high
    (2,): the rectangle where things may stand, m. floor_m: height of the floor that furniture stands on."""

    bodies: tuple[Body, ...]
    material: Material
    low: np.ndarray
    high: np.ndarray
    kind: str | None = None
    seed: int = 0
    amplitude_m: float = 0.0
    floor_m: float = 0.0

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Heights of the surface, m, of the shape of x and y."""
        if self.kind is None:
            return np.zeros(np.shape(x))
        return self.amplitude_m * ground(self.kind, self.seed).height(x, y)

    def lay(
        self,
        x: ArrayLike,
        y: ArrayLike,
        yaw_rad: ArrayLike,
        size_m: ArrayLike,
        most_tilt_rad: float,
        sunk_m: float = 0.0,
    ) -> np.ndarray:
        """(N, 4, 4) poses of things with a flat bottom of that size, (2,) or (N, 2) (length along yaw, width), at
        places x, y, yaw (N,): T_base_bottom, its origin the bottom's centre.

        It follows the slope under it up to most_tilt_rad, and rests on the highest point, less sunk_m.
        """
        x, y, yaw = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (x, y, yaw_rad))
        cos, sin = np.cos(yaw), np.sin(yaw)
        poses = np.zeros((len(x), 4, 4))
        poses[:, 3, 3] = 1.0
        poses[:, 0, 3], poses[:, 1, 3] = x, y
        if self.kind is None:
            poses[:, 0, 0], poses[:, 0, 1], poses[:, 1, 0], poses[:, 1, 1] = cos, -sin, sin, cos
            poses[:, 2, 2] = 1.0
            return poses
        size = np.broadcast_to(np.asarray(size_m, dtype=float), (len(x), 2))
        u, v = (FOOTPRINT * size[:, None]).transpose(2, 0, 1)
        heights = self.height(
            x[:, None] + cos[:, None] * u - sin[:, None] * v, y[:, None] + sin[:, None] * u + cos[:, None] * v
        )
        slope = np.stack(
            [(heights * w).sum(axis=1) / (w * w).sum(axis=1) for w in (u, v)], axis=1
        )  # least squares
        steep = np.hypot(*slope.T)
        slope *= np.minimum(1.0, np.tan(most_tilt_rad) / np.maximum(steep, 1e-9))[:, None]
        east, north = cos * slope[:, 0] - sin * slope[:, 1], sin * slope[:, 0] + cos * slope[:, 1]
        up = np.stack([-east, -north, np.ones_like(x)], axis=1) / np.sqrt(1 + east**2 + north**2)[:, None]
        along = np.stack([cos, sin, slope[:, 0]], axis=1) / np.sqrt(1 + slope[:, 0] ** 2)[:, None]
        poses[:, :3, 0], poses[:, :3, 1], poses[:, :3, 2] = along, np.cross(up, along), up
        poses[:, 2, 3] = (heights - slope[:, :1] * u - slope[:, 1:] * v).max(axis=1) - sunk_m
        return poses


def sample_support(
    seed: int, index: int, config: RandomizationConfig, description: RobotDescription
) -> Support:
    """Uneven ground, or a table, or a plane."""
    rng, room = stream(seed, index, "support"), config.room
    uneven, tabled = happens(rng, config.terrain.share), happens(rng, room.table_share)
    side, height = within(rng, room.support_m), within(rng, room.table_height_m)
    margins = [within(rng, room.table_margin_m) for _ in range(4)]
    kind, number, amplitude = _ground(rng, config)
    low = np.array([min(description.workspace_x_m[0], -0.12), min(description.workspace_y_m[0], -0.12)])
    high = np.array([max(description.workspace_x_m[1], 0.12), max(description.workspace_y_m[1], 0.12)])
    everywhere = np.array([side / 2, side / 2])
    look = stream(seed, index, "support look")
    paint = (room.support_look, config.textures, config.pictures)
    if uneven:
        material = surface(look, paint[0], 1.0, *paint[1:])
        body = Body(f"terrain/{kind}/{number}", np.eye(4), material, SUPPORT, (1.0, 1.0, amplitude))
        return Support((body,), material, -everywhere, everywhere, kind, number, amplitude)
    if tabled:
        low, high = low - margins[:2], high + margins[2:]
        material = surface(look, paint[0], float(max(high - low)), *paint[1:])
        floor = surface(look, room.look, 12.0, *paint[1:])
        return Support(_table(low, high, height, material, floor), material, low, high, floor_m=-height)
    material = surface(look, paint[0], side, *paint[1:])
    return Support(
        (Body("plane", np.eye(4), material, SUPPORT, (side, side, 1.0)),), material, -everywhere, everywhere
    )


def _ground(rng: np.random.Generator, config: RandomizationConfig) -> tuple[str, int, float]:
    ranges = config.terrain
    kind, number = one_of(rng, ranges.kinds), config.first_seed + int(rng.random() * ranges.seeds)
    return kind, number, within(rng, ranges.amplitude_m)


def _table(
    low: np.ndarray, high: np.ndarray, height_m: float, material: Material, floor: Material
) -> tuple[Body, ...]:
    """A table top with its surface at z = 0, its legs, and the floor."""
    middle, size = (low + high) / 2, high - low
    top = _box_at(middle, -TABLE_TOP_M / 2, (size[0], size[1], TABLE_TOP_M), material, SUPPORT)
    leg = (LEG_M, LEG_M, height_m - TABLE_TOP_M)
    corners = [middle + (size / 2 - LEG_M) * (u, v) for u in (-1, 1) for v in (-1, 1)]
    legs = [_box_at(corner, -TABLE_TOP_M - leg[2] / 2, leg, material, ROOM) for corner in corners]
    below = np.eye(4)
    below[2, 3] = -height_m
    return top, *legs, Body("plane", below, floor, ROOM, (12.0, 12.0, 1.0))


def _box_at(
    place: np.ndarray, z: float, size: tuple[float, float, float], material: Material, label: int
) -> Body:
    pose = np.eye(4)
    pose[:3, 3] = (*place, z)
    return Body("box", pose, material, label, (float(size[0]), float(size[1]), float(size[2])))
