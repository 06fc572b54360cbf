"""What one view shows: points of the robot for its camera, and scores of the support plane for the block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perception import crop, heatmaps
from perception.bundle import Channel
from perception.camera import Camera
from perception.images import Image
from perception.resection import Matches, Resection
from perception.robot import Robot

Array = NDArray[np.float64]

LEAST_CONFIDENCE = 0.2  # heat maps less peaked than this place no point
# Errors of one network in one image go together, which a resection takes for independent; with variances this
# much larger, the cameras found on rendered images are off by as much as their covariances say.
COMMON_ERRORS = 2.0
_GATE = 3.0  # standard deviations up to which a peak is taken for the block that the views agree on


@dataclass(frozen=True)
class Frame:
    """What a density covers: corner and size (2,) in px of a part of the image, and cells (2,) across it."""

    corner: Array
    size: Array
    cells: Array

    @classmethod
    def whole(cls, image: Image, densities: heatmaps.Map) -> Self:
        """The whole image, covered by densities (K, h, w)."""
        return cls(np.zeros(2), np.array(image.shape[1::-1]), np.array(densities.shape[:0:-1]))

    @classmethod
    def window(cls, window: crop.Window, densities: heatmaps.Map) -> Self:
        """A square of the image, covered by densities (K, h, w)."""
        return cls(np.array([window.u0, window.v0]), np.full(2, window.side), np.array(densities.shape[:0:-1]))

    @property
    def cell_px(self) -> Array:
        """Width and height (2,) of a cell in px of the image."""
        return self.size / self.cells

    def to_cells(self, pixels: Array) -> Array:
        """Places (..., 2) in cells of pixels (..., 2)."""
        return np.asarray((pixels - self.corner) / self.cell_px)

    def to_pixels(self, peak: heatmaps.Peak) -> tuple[Array, Array]:
        """Place (2,) and covariance (2, 2) of a peak in px of the image."""
        return peak.place * self.cell_px + self.corner, peak.covariance * np.outer(self.cell_px, self.cell_px)


@dataclass(frozen=True)
class Seen:
    """The heat maps of one view as densities, what they cover, and the joint positions (9,) of the moment."""

    joints: Array
    frame: Frame
    densities: heatmaps.Map


def robot_matches(seen: Seen, channels: Sequence[Channel], robot: Robot, camera: Camera | None = None) -> Matches:
    """Points of the robot that the heat maps place clearly.

    Channels that show two points count only where a camera tells the two apart.
    """
    points, pixels, covariances = [], [], []
    for channel, density in zip(channels, seen.densities, strict=True):
        if channel.kind != "robot":
            continue
        places = robot.points(seen.joints, [(point.link, point.xyz_m) for point in channel.points])
        for place, peak in zip(places, _peaks(density, seen.frame, places, camera), strict=False):
            if peak.confidence >= LEAST_CONFIDENCE:
                pixel, covariance = seen.frame.to_pixels(peak)
                points.append(place)
                pixels.append(pixel)
                covariances.append(COMMON_ERRORS * covariance)
    return Matches(np.reshape(points, (-1, 3)), np.reshape(pixels, (-1, 2)), np.reshape(covariances, (-1, 2, 2)))


def plane_scores(
    seen: Seen, channels: Sequence[int], found: Resection, plane: Array, block_m: Array | None = None
) -> heatmaps.Map:
    """Log-scores (C, ny, nx) of the plane's points (ny, nx, 3) in C of the maps.

    channels: indices of the maps, the one of the block's centre first. The maps are smeared by how uncertain
    the camera is about where the block seems to be. Given the block's centre block_m (3,) in base, they are
    first moved, as far as the camera may be off, so that the peak of the centre's map falls there; then
    little uncertainty is left.
    """
    densities = seen.densities[list(channels)]
    cells = seen.frame.to_cells(found.camera.project(plane)[0])
    if block_m is None:
        sharp = heatmaps.log_scores(densities[0], cells)
        likely = plane[np.unravel_index(int(np.argmax(sharp)), sharp.shape)]
        covariance = found.pixel_covariance(likely)
    else:
        shift, covariance = _alignment(seen, densities[0], found, block_m)
        cells = cells + shift / seen.frame.cell_px
    sigma = np.sqrt(np.diag(covariance)) / seen.frame.cell_px
    return np.stack([heatmaps.log_scores(heatmaps.blur(density, sigma), cells) for density in densities])


def _alignment(seen: Seen, density: heatmaps.Map, found: Resection, block_m: Array) -> tuple[Array, Array]:
    """How far (2,) in px the camera misplaces the block's centre, and the covariance (2, 2) of what is left.

    The Kalman update of the misplacement, known beforehand to have zero mean and the camera's covariance, by
    the peak of the centre's density. A peak that is too far off to be this block's says nothing.
    """
    covariance = found.pixel_covariance(block_m)
    peak = heatmaps.decode(density)
    pixel, noise = seen.frame.to_pixels(peak)
    innovation = pixel - found.camera.project(block_m)[0]
    total = covariance + noise
    if peak.confidence < LEAST_CONFIDENCE or innovation @ np.linalg.solve(total, innovation) > _GATE**2:
        return np.zeros(2), covariance
    gain = covariance @ np.linalg.inv(total)
    return gain @ innovation, covariance - gain @ covariance


def _peaks(density: heatmaps.Map, frame: Frame, places: Array, camera: Camera | None) -> tuple[heatmaps.Peak, ...]:
    """The peaks of a channel in the order of its points in 3-D; none where two cannot be told apart."""
    if len(places) == 1:
        return (heatmaps.decode(density),)
    if camera is None:
        return ()
    pixels, _ = camera.project(places)
    return heatmaps.decode_pair(density, frame.to_cells(pixels)) if np.isfinite(pixels).all() else ()
