"""Engines that know the truth: heat maps as a well trained network would give them, with errors of a chosen size.

The images carry no picture: their grey value numbers the view. Which part of it a close-up shows, the localizer's own
windows tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from fixtures_bundle import CHANNELS, SIGMA, STRIDE, manifest
from scipy.optimize import least_squares

from perception.adjustment import Pose
from perception.camera import Camera
from perception.crop import Rectangle
from perception.localize import Localizer, Network, View
from perception.resection import Resection
from perception.robot import Robot
from perception.search import Looking
from perception.sight import Frame, Sight

ROBOT = Robot.load()
SIZES = {"coarse": (256, 192), "tool": (256, 192), "fine": (128, 128)}
GREY_STEP = 10
FAINT = 1e-9  # probability of a cell that is as good as excluded


@dataclass
class Truth:
    """Cameras, joint positions and block of the views drawn so far."""

    block: Pose
    noise_px: float = 0.0  # of the network's input
    seed: int = 0
    scenes: list[tuple[Camera, np.ndarray]] = field(default_factory=list)
    blind: set[int] = field(default_factory=set)  # views whose networks see nothing
    misled: set[int] = field(default_factory=set)  # views whose networks see everything in random places
    without_block: set[int] = field(default_factory=set)
    without_robot: set[int] = field(default_factory=set)
    others: Sequence[tuple[Pose, float]] = ()  # blocks besides, with their probabilities

    def view(self, name: str, camera: Camera, joints: np.ndarray) -> View:
        """The next view, and from now on known to the engines."""
        grey = GREY_STEP * len(self.scenes)
        self.scenes.append((camera, joints))
        return View(name, np.full((camera.height, camera.width, 3), grey, dtype=np.uint8), joints)

    def localizer(self) -> Localizer:
        """A localizer whose three networks know this truth."""
        return _Observed(self)

    def looks(self, stage: str = "coarse") -> list[Looking]:
        """What that stage's network sees in every view, whole, each by a camera that is known to a pixel or so."""
        engine, output = IdealEngine(stage, self, []), manifest(stage, SIZES[stage]).output
        loose = np.diag([1e-3, *[1e-3] * 3, *[1e-3] * 3]) ** 2
        found = []
        for index, (camera, joints) in enumerate(self.scenes):
            frame = Frame.whole(np.empty((camera.height, camera.width, 3), np.uint8), output)
            sight = Sight(joints, frame, output, np.exp(engine.maps(index)))
            found.append(Looking(sight, index, Resection(camera, loose, np.ones(9, bool))))
        return found


class _Observed(Localizer):
    """A localizer whose networks know which parts of the images they are shown, in the order in which they are run."""

    def __init__(self, truth: Truth) -> None:
        self.windows: list[Rectangle] = []
        engines = {stage: IdealEngine(stage, truth, self.windows) for stage in CHANNELS}
        super().__init__({stage: Network(manifest(stage, SIZES[stage]), engine) for stage, engine in engines.items()})

    def _look(self, stage: str, views: Sequence[View], windows: Sequence[Rectangle] | None = None) -> list[Sight]:
        self.windows[:] = windows or []
        return super()._look(stage, views, windows)


@dataclass
class IdealEngine:
    """Engine of one stage."""

    stage: str
    truth: Truth
    windows: list[Rectangle]
    name: str = "ideal"

    def run(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self.maps(int(np.median(image)) // GREY_STEP) for image in images])

    def maps(self, index: int) -> np.ndarray:
        """Log-probabilities (K, h, w) of the view with that number."""
        truth = self.truth
        camera, joints = truth.scenes[index]
        low, size = np.zeros(2), np.array([camera.width, camera.height])
        if self.windows:
            window = self.windows.pop(0)
            low, size = window.origin, np.diag(window.linear) * window.size
        cells = np.array(SIZES[self.stage]) // STRIDE
        rng = np.random.default_rng((truth.seed, index, sorted(CHANNELS).index(self.stage)))
        main = 1.0 - sum(share for _, share in truth.others)
        unseen = {"robot": truth.without_robot | truth.blind, "block": truth.without_block | truth.blind}
        maps = []
        for channel in CHANNELS[self.stage]:
            if channel.kind == "robot":
                shown = [(ROBOT.points(joints, [(point.link, point.xyz_m) for point in channel.points]), 1.0)]
            else:
                blocks = [(truth.block, main), *truth.others]
                shown = [(block.points(np.array(channel.parts)), share) for block, share in blocks]
            peaks = []
            for places, share in shown:
                at = (camera.project(places)[0] - low) / size * cells
                at = at + rng.normal(size=at.shape) * truth.noise_px / STRIDE
                if index in truth.misled:
                    at = rng.uniform(0, cells, at.shape)
                peaks += [(place, share / len(places)) for place in at]
            maps.append(draw_peaks([] if index in unseen[channel.kind] else peaks, *cells))
        return np.array(maps, dtype=np.float32)


def hover(x_m: float, y_m: float, yaw_rad: float, height_m: float = 0.16) -> np.ndarray:
    """Joint positions (9,) with the clamp pointing down above a place, its x axis at yaw_rad."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    rotation = np.array([[cos, sin, 0.0], [sin, -cos, 0.0], [0.0, 0.0, -1.0]])

    def miss(arm: np.ndarray) -> np.ndarray:
        pose = ROBOT.clamp_pose([*arm, 0.04, 0.04])
        return np.concatenate([10.0 * (pose[:3, 3] - (x_m, y_m, height_m)), (pose[:3, :3] - rotation).ravel()])

    limits = ([joint.lower for joint in ROBOT.moving[:7]], [joint.upper for joint in ROBOT.moving[:7]])
    solved = least_squares(miss, [np.arctan2(y_m, x_m), 0.3, 0.0, -2.0, 0.0, 2.3, 0.8], bounds=limits)
    assert solved.cost < 1e-6
    return np.array([*solved.x, 0.04, 0.04])


def draw_peaks(
    peaks: Sequence[tuple[np.ndarray, float]], width: int, height: int, sigma: float = SIGMA
) -> np.ndarray:
    """Log-probabilities (h, w) of Gaussians of given masses at places (2,) in cells, those outside left out."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    density = np.full((height, width), FAINT)
    for place, mass in peaks:
        if np.all(place > 0) and np.all(place < (width, height)):
            bell_x, bell_y = (np.exp(-0.5 * ((a - b) / sigma) ** 2) for a, b in zip((x, y), place, strict=True))
            density += mass * np.outer(bell_y / bell_y.sum(), bell_x / bell_x.sum())
    return np.log(density)
