"""What everything stands on: a flat plane, a table, or uneven ground, and how things lie on it."""

from dataclasses import dataclass

import numpy as np

from sim.random_streams import stream
from sim.randomization.config import RandomizationConfig, TerrainRanges
from sim.randomization.draws import happens, one_of, within
from sim.randomization.surfaces import surface
from sim.robots import RobotDescription
from sim.scene import ROOM, SUPPORT, Body, Material
from sim.terrain import ground

TABLE_TOP_M, LEG_M = 0.04, 0.06
FOOTPRINT = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 7), np.linspace(-0.5, 0.5, 5), indexing="ij"), -1).reshape(-1, 2)


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
        self, x: float, y: float, yaw_rad: float, size_m: tuple[float, float], most_tilt_rad: float, sunk_m: float = 0.0
    ) -> np.ndarray:
        """(4, 4) pose of a thing with a flat bottom of that size (length along yaw, width): centre of its bottom.

        It follows the slope under it up to most_tilt_rad, and rests on the highest point, less sunk_m.
        """
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        if self.kind is None:
            return np.array([(cos, -sin, 0, x), (sin, cos, 0, y), (0, 0, 1, 0), (0, 0, 0, 1.0)])
        local = FOOTPRINT * size_m
        offsets = local @ np.array([(cos, sin), (-sin, cos)])
        heights = self.height(x + offsets[:, 0], y + offsets[:, 1])
        plane = np.column_stack([offsets, np.ones(len(offsets))])
        (slope_x, slope_y, _), *_ = np.linalg.lstsq(plane, heights, rcond=None)
        steep = np.hypot(slope_x, slope_y)
        ease = min(1.0, np.tan(most_tilt_rad) / max(steep, 1e-9))
        slope = np.array([slope_x, slope_y]) * ease
        up = np.array([-slope[0], -slope[1], 1.0]) / np.sqrt(1 + slope @ slope)
        along = np.array([cos, sin, slope @ (cos, sin)])
        along /= np.linalg.norm(along)
        pose = np.eye(4)
        pose[:3, :3] = np.column_stack([along, np.cross(up, along), up])
        pose[:3, 3] = (x, y, (heights - offsets @ slope).max() - sunk_m)
        return pose


def sample_support(seed: int, index: int, config: RandomizationConfig, description: RobotDescription) -> Support:
    """Uneven ground, or a table, or a plane."""
    rng, room = stream(seed, index, "support"), config.room
    uneven, tabled = happens(rng, config.terrain.share), happens(rng, room.table_share)
    side, height = within(rng, room.support_m), within(rng, room.table_height_m)
    margins = [within(rng, room.table_margin_m) for _ in range(4)]
    kind, number, amplitude = _ground(stream(seed, index, "terrain"), config.terrain)
    low = np.array([min(description.workspace_x_m[0], -0.12), min(description.workspace_y_m[0], -0.12)])
    high = np.array([max(description.workspace_x_m[1], 0.12), max(description.workspace_y_m[1], 0.12)])
    everywhere = np.array([side / 2, side / 2])
    look = stream(seed, index, "support look")
    paint = (room.support_look, config.texture_seeds, config.pictures)
    if uneven:
        material = surface(look, paint[0], 1.0, *paint[1:])
        body = Body(f"terrain/{kind}/{number}", np.eye(4), material, SUPPORT, (1.0, 1.0, amplitude))
        return Support((body,), material, -everywhere, everywhere, kind, number, amplitude)
    if tabled:
        low, high = low - margins[:2], high + margins[2:]
        material = surface(look, paint[0], float(max(high - low)), *paint[1:])
        floor = surface(stream(seed, index, "floor look"), room.look, 12.0, *paint[1:])
        return Support(_table(low, high, height, material, floor), material, low, high, floor_m=-height)
    material = surface(look, paint[0], side, *paint[1:])
    return Support((Body("plane", np.eye(4), material, SUPPORT, (side, side, 1.0)),), material, -everywhere, everywhere)


def _ground(rng: np.random.Generator, ranges: TerrainRanges) -> tuple[str, int, float]:
    return one_of(rng, ranges.kinds), int(rng.random() * ranges.seeds), within(rng, ranges.amplitude_m)


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
