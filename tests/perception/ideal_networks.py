"""Engines that know the truth: heat maps as a well trained network would give them, with errors of a chosen
size.

The images carry no picture but their own coordinates - red grows with u, green with v, and blue numbers the
view - so that an engine can tell which part of which view it was given, whatever was cut and scaled on the
way.
"""

from dataclasses import dataclass, field

import numpy as np
from fixtures_bundle import CHANNELS, SIZES, block_points, manifest

from perception.camera import Camera
from perception.localize import Localizer, Network, View
from perception.robot import Robot

PEAK_CELLS = 0.5  # width of the peaks, after calibration
BLUE_STEP = 10


@dataclass
class Truth:
    """Cameras, joint positions and block (x_m, y_m, yaw_rad, length_m) of the views drawn so far."""

    block: tuple[float, float, float, float]
    noise_cells: float = 0.0
    seed: int = 0
    scenes: list[tuple[Camera, np.ndarray]] = field(default_factory=list)
    blind: set[int] = field(default_factory=set)  # views whose networks see nothing
    misled: set[int] = field(default_factory=set)  # views whose networks see everything in random places

    def view(self, name: str, camera: Camera, joints: np.ndarray) -> View:
        """The next view, and from now on known to the engines."""
        u, v = np.meshgrid(
            (np.arange(camera.width) + 0.5) / camera.width, (np.arange(camera.height) + 0.5) / camera.height
        )
        blue = np.full_like(u, BLUE_STEP * len(self.scenes) / 255.0)
        self.scenes.append((camera, joints))
        return View(name, np.round(255.0 * np.stack([u, v, blue], axis=-1)).astype(np.uint8), joints)

    def localizer(self) -> Localizer:
        """A localizer whose three networks know this truth."""
        return Localizer({stage: Network(manifest(stage), IdealEngine(stage, self)) for stage in CHANNELS})


@dataclass
class IdealEngine:
    """Engine of one stage."""

    stage: str
    truth: Truth
    name: str = "ideal"

    def run(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self._maps(image) for image in images])

    def _maps(self, image: np.ndarray) -> np.ndarray:
        index = round(float(np.median(image[..., 2])) / BLUE_STEP)
        camera, joints = self.truth.scenes[index]
        low, high = (np.array([_edge(image, axis, camera, end) for axis in (0, 1)]) for end in (0, 1))
        _, _, width, height = SIZES[self.stage]
        rng = np.random.default_rng((self.truth.seed, index, sorted(CHANNELS).index(self.stage)))
        points = block_points(*self.truth.block)
        maps = []
        for channel in CHANNELS[self.stage]:
            if channel.kind == "robot":
                places = Robot.load().points(joints, [(point.link, point.xyz_m) for point in channel.points])
            else:
                places = points[channel.name]
            pixels, _ = camera.project(places)
            cells = (pixels - low) / (high - low) * (width, height)
            cells = cells + rng.normal(size=cells.shape) * self.truth.noise_cells
            if index in self.truth.misled:
                cells = rng.uniform(0, (width, height), cells.shape)
            maps.append(_draw(cells, width, height, flat=index in self.truth.blind))
        return np.array(maps, dtype=np.float32)


def _edge(image: np.ndarray, axis: int, camera: Camera, end: int) -> float:
    """The image's u (axis 0) or v (axis 1) in px at the low (0) or high (1) edge of what was cut out."""
    size = (camera.width, camera.height)[axis]
    profile = np.median(image[..., axis], axis=axis).astype(float) / 255.0 * size
    places = (np.arange(len(profile)) + 0.5) / len(profile)
    inside = (profile > 0.02 * size) & (profile < 0.98 * size)  # beyond the border, values repeat
    slope, start = np.polyfit(places[inside], profile[inside], 1)
    return float(start + slope * end)


def _draw(cells: np.ndarray, width: int, height: int, flat: bool) -> np.ndarray:
    """Log-softmax (h, w) of a mixture of equal peaks at cells (M, 2), those outside left out, over a faint
    floor."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    density = np.full((height, width), 1e-4)
    for place in cells:
        if not flat and np.all(place > 0) and np.all(place < (width, height)):
            density += np.exp(-0.5 * ((x - place[0]) ** 2 + (y - place[1]) ** 2) / PEAK_CELLS**2)
    return np.log(density / density.sum())
