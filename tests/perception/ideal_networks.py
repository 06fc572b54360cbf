"""Engines that know the truth: heat maps as a well trained network would give them, with errors of a chosen size.

The images carry no picture: their grey value numbers the view. Which part of it a close-up shows, the localizer's own
windows tell.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fixtures_bundle import CHANNELS, SIZES, block_points, manifest

from perception.camera import Camera
from perception.crop import Window
from perception.localize import Localizer, Network, View
from perception.robot import Robot

ROBOT = Robot.load()
PEAK_PX = 1.2  # width of the peaks, in px of the network's input
GREY_STEP = 10


@dataclass
class Truth:
    """Cameras, joint positions and block (x_m, y_m, yaw_rad, length_m) of the views drawn so far."""

    block: tuple[float, float, float, float]
    noise_px: float = 0.0  # of the network's input
    seed: int = 0
    scenes: list[tuple[Camera, np.ndarray]] = field(default_factory=list)
    blind: set[int] = field(default_factory=set)  # views whose networks see nothing
    misled: set[int] = field(default_factory=set)  # views whose networks see everything in random places

    def view(self, name: str, camera: Camera, joints: np.ndarray) -> View:
        """The next view, and from now on known to the engines."""
        grey = GREY_STEP * len(self.scenes)
        self.scenes.append((camera, joints))
        return View(name, np.full((camera.height, camera.width, 3), grey, dtype=np.uint8), joints)

    def localizer(self) -> Localizer:
        """A localizer whose three networks know this truth."""
        return _Observed(self)


class _Observed(Localizer):
    """A localizer whose close-ups' windows are known to its networks, in the order in which they are run."""

    def __init__(self, truth: Truth) -> None:
        self.windows: list[Window] = []
        engines = {stage: IdealEngine(stage, truth, self.windows) for stage in CHANNELS}
        super().__init__({stage: Network(manifest(stage), engine) for stage, engine in engines.items()})

    def _window(self, *seen: Any) -> Window:
        self.windows.append(super()._window(*seen))
        return self.windows[-1]


@dataclass
class IdealEngine:
    """Engine of one stage."""

    stage: str
    truth: Truth
    windows: list[Window]
    name: str = "ideal"

    def run(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self._maps(image) for image in images])

    def _maps(self, image: np.ndarray) -> np.ndarray:
        index = int(np.median(image)) // GREY_STEP
        camera, joints = self.truth.scenes[index]
        low, size = np.zeros(2), np.array([camera.width, camera.height])
        if self.stage == "fine":
            window = self.windows.pop(0)
            low, size = np.array([window.u0, window.v0]), np.full(2, window.side)
        width, height = SIZES[self.stage]
        rng = np.random.default_rng((self.truth.seed, index, sorted(CHANNELS).index(self.stage)))
        points = block_points(*self.truth.block)
        maps = []
        for channel in CHANNELS[self.stage]:
            if channel.kind == "robot":
                places = ROBOT.points(joints, [(point.link, point.xyz_m) for point in channel.points])
            else:
                places = points[channel.name]
            pixels, _ = camera.project(places)
            peaks = (pixels - low) / size * (width, height)
            peaks = peaks + rng.normal(size=peaks.shape) * self.truth.noise_px
            if index in self.truth.misled:
                peaks = rng.uniform(0, (width, height), peaks.shape)
            maps.append(_draw(peaks, width, height, flat=index in self.truth.blind))
        return np.array(maps, dtype=np.float32)


def _draw(peaks: np.ndarray, width: int, height: int, flat: bool) -> np.ndarray:
    """Log-softmax (h, w) of equal peaks at places (M, 2) in px, those outside left out, over a faint floor."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    density = np.full((height, width), 1e-6)
    for place in peaks:
        if not flat and np.all(place > 0) and np.all(place < (width, height)):
            density += np.exp(-0.5 * ((x - place[0]) ** 2 + (y - place[1]) ** 2) / PEAK_PX**2)
    return np.log(density / density.sum())
