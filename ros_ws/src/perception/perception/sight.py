"""What one network sees in one image: points of the robot, and of the block near where it is expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perception import crop, heatmaps
from perception.adjustment import Observations, Pose
from perception.bundle import Channel, Heatmaps
from perception.camera import Camera
from perception.images import Image
from perception.resection import Matches
from perception.robot import Robot

Array = NDArray[np.float64]

LEAST_CONFIDENCE = 0.2  # heat maps less peaked than this place no point
# Errors of one network in one image go together, where the adjustment takes them for independent.
COMMON_ERRORS = 2.0
_GATE = 6.0  # cells that points of the robot may be off from where a first camera has them


@dataclass(frozen=True)
class Frame:
    """What a map covers: linear (2, 2) px of the image per cell, the image's px `origin` (2,) of its left top corner,
    and the number of cells (2,) across it."""

    linear: Array
    origin: Array
    cells: Array

    @classmethod
    def whole(cls, image: Image, output: Heatmaps) -> Self:
        """The whole image."""
        cells = np.array([output.width, output.height])
        return cls(np.diag(np.array(image.shape[1::-1]) / cells), np.zeros(2), cells)

    @classmethod
    def rectangle(cls, rectangle: crop.Rectangle, output: Heatmaps) -> Self:
        """A rectangle of the image."""
        cells = np.array([output.width, output.height])
        return cls(rectangle.linear * (np.array(rectangle.size) / cells), rectangle.origin, cells)

    @property
    def cell_px(self) -> Array:
        """Width and height (2,) of a cell in px of the image."""
        return np.asarray(np.linalg.norm(self.linear, axis=0))

    @cached_property
    def _to_cells(self) -> Array:
        return np.asarray(np.linalg.inv(self.linear).T)

    def to_cells(self, pixels: Array) -> Array:
        """Places (..., 2) in cells of pixels (..., 2)."""
        return np.asarray((pixels - self.origin) @ self._to_cells)

    def covers(self, pixels: Array) -> bool:
        """Whether a place (2,) in px of the image lies on the map."""
        cells = self.to_cells(pixels)
        return bool(np.isfinite(cells).all() and (cells >= 0).all() and (cells <= self.cells).all())

    def to_pixels(self, cells: Array) -> Array:
        """Pixels (..., 2) of places (..., 2) in cells."""
        return np.asarray(cells @ self.linear.T + self.origin)


@dataclass(frozen=True)
class Sight:
    """The maps (K, h, w) of one image, what they cover, and the robot's joint positions (J,) of the moment."""

    joints: Array
    frame: Frame
    output: Heatmaps
    maps: heatmaps.Map

    @property
    def names(self) -> list[str]:
        """Of the channels."""
        return [channel.name for channel in self.output.channels]

    def peak(self, name: str) -> tuple[Array, Array, float]:
        """Place (2,) and covariance (2, 2) in px of the image, and confidence, of a channel of one point."""
        index = self.names.index(name)
        peaks = heatmaps.decode(self.maps[index : index + 1], self.output.sigma)
        covariances = self._in_pixels(peaks, [self.output.channels[index]])
        return self.frame.to_pixels(peaks.places[0]), covariances[0], float(peaks.confidences[0])

    @cached_property
    def block_maps(self) -> list[tuple[heatmaps.Map, Array]]:
        """The maps (C, h, w) of the block's points and the parts (C, M, 3) that they show, those of one point and those
        of two."""
        found = []
        for count in (1, 2):
            rows = [i for i, one in enumerate(self.output.channels) if len(one.parts) == count]
            if rows:
                parts = np.array([self.output.channels[i].parts for i in rows])
                found.append((np.asarray(self.maps[rows]), parts))
        return found

    def block_points(
        self, number: int, camera: Camera, block: Pose, gate_px: float, pairs: bool = True
    ) -> Observations:
        """Points of the block near where a camera sees it, as observations of camera `number`; with `pairs` also those
        that look alike in twos."""
        ones = [i for i, one in enumerate(self.output.channels) if len(one.parts) == 1]
        twos = [i for i, one in enumerate(self.output.channels) if len(one.parts) == 2 and pairs]
        rows = ones + [i for i in twos for _ in range(2)]
        parts = np.array([part for i in ones + twos for part in self.output.channels[i].parts])
        cells = np.nan_to_num(self.frame.to_cells(camera.project(block.points(parts))[0]), nan=-1e3)
        gate, alone, sigma = gate_px / float(self.frame.cell_px.mean()), len(ones), self.output.sigma
        found = [heatmaps.decode(self.maps[ones], sigma, cells[:alone], gate)]
        if twos:
            found.append(heatmaps.decode_pairs(self.maps[twos], cells[alone:].reshape(-1, 2, 2), sigma, gate))
        pixels, covariances, clear = self.read(found, rows)
        count = int(clear.sum())
        return Observations(
            np.full(count, number), pixels[clear], covariances[clear], np.ones(count, bool), parts[clear]
        )

    def share(self, kind: str) -> float:
        """Probability that the image shows the "robot" or the "block": the mean over its points of that of each."""
        chosen = [i for i, one in enumerate(self.output.channels) if one.kind == kind]
        return float(np.mean(np.minimum(self.maps[chosen].sum(axis=(1, 2)), 1.0)))

    def mass_near(self, index: int, cells: Array) -> float:
        """Probability that the point of a channel is near a place (2,) in cells."""
        if not np.isfinite(cells).all():
            return 0.0
        reach = heatmaps.REACH * self.output.sigma
        left, top = (int(v) for v in np.clip(np.floor(cells - reach), 0, self.frame.cells))
        right, bottom = (int(v) for v in np.clip(np.ceil(cells + reach), 0, self.frame.cells))
        return min(1.0, float(self.maps[index, top:bottom, left:right].sum()))

    def read(self, found: Sequence[heatmaps.Peaks], rows: Sequence[int]) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Pixels (N, 2), covariances (N, 2, 2) in px^2, and which of the points are clear (N,)."""
        peaks = heatmaps.Peaks.join(found)
        covariances = self._in_pixels(peaks, [self.output.channels[i] for i in rows])
        return self.frame.to_pixels(peaks.places), covariances, peaks.confidences >= LEAST_CONFIDENCE

    def _in_pixels(self, peaks: heatmaps.Peaks, channels: Sequence[Channel]) -> Array:
        """Covariances (N, 2, 2) in px^2 of peaks, one of each channel."""
        scale, floor = (np.array([getattr(one.noise, name) for one in channels]) for name in ("scale", "floor"))
        cells = scale[:, None, None] * peaks.covariances + floor[:, None, None] * np.eye(2)
        spread = COMMON_ERRORS / np.maximum(peaks.confidences, LEAST_CONFIDENCE)
        return np.asarray(spread[:, None, None] * (self.frame.linear @ cells @ self.frame.linear.T))


def corners(sights: Sequence[Sight], numbers: Sequence[int], half_turns: Sequence[bool]) -> list[Observations]:
    """The points of a block that lies from left to right in each sight, as observations of the camera of that number;
    all sights are of one network. Half turn: what is right there is the block's negative end."""
    if not sights:
        return []
    output = sights[0].output
    parts = np.array([channel.parts[0] for channel in output.channels])
    peaks = heatmaps.decode(np.concatenate([sight.maps for sight in sights]), output.sigma).split(len(sights))
    found = []
    for sight, own, number, half_turn in zip(sights, peaks, numbers, half_turns, strict=True):
        pixels, covariances, clear = sight.read([own], range(len(parts)))
        signed, count = parts * ((-1.0, -1.0, 1.0) if half_turn else (1.0, 1.0, 1.0)), int(clear.sum())
        found.append(
            Observations(
                np.full(count, number), pixels[clear], covariances[clear], np.ones(count, bool), signed[clear]
            )
        )
    return found


def robot_points(
    sights: Sequence[Sight], robot: Robot, cameras: Sequence[Camera | None] | None = None
) -> list[Matches]:
    """Points of the robot that the maps of each sight place clearly; all sights are of one network.

    Channels that show two points count only where a camera tells the two apart.
    """
    if not sights:
        return []
    output = sights[0].output
    given = [None] * len(sights) if cameras is None else cameras
    ones, twos = ([i for i, one in enumerate(output.channels) if len(one.points) == n] for n in (1, 2))
    wanted = [point for i in ones + twos for point in output.channels[i].points]
    places = [robot.points(sight.joints, [(point.link, point.xyz_m) for point in wanted]) for sight in sights]
    single = heatmaps.decode(np.concatenate([sight.maps[ones] for sight in sights]), output.sigma).split(len(sights))
    double: dict[int, heatmaps.Peaks] = {}
    if known := [(i, camera) for i, camera in enumerate(given) if camera is not None and twos]:
        maps = np.concatenate([sights[i].maps[twos] for i, _ in known])
        predicted = np.concatenate(
            [sights[i].frame.to_cells(camera.project(places[i][len(ones) :])[0]) for i, camera in known]
        )
        cells = np.nan_to_num(predicted, nan=-1e3).reshape(-1, 2, 2)
        found = heatmaps.decode_pairs(maps, cells, output.sigma, _GATE).split(len(known))
        double = {i: one for (i, _), one in zip(known, found, strict=True)}
    matches = []
    for i, sight in enumerate(sights):
        peaks = [single[i], double[i]] if i in double else [single[i]]
        rows = ones + [row for row in twos for _ in range(2) if i in double]
        pixels, covariances, clear = sight.read(peaks, rows)
        matches.append(Matches(places[i][: len(rows)][clear], pixels[clear], covariances[clear]))
    return matches
