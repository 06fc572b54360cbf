"""Where the block may be, before anything is refined: places that several views agree on, and how it may lie there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception import angles, heatmaps
from perception.adjustment import BlockPrior, Pose
from perception.camera import Camera
from perception.resection import Resection
from perception.sight import Sight

Array = NDArray[np.float64]

_PEAKS = 3  # of each view's map that may be the block
_APART_M = 0.02  # places nearer than this are one
_YAWS = 24
_OTHER_RAD = np.deg2rad(35.0)  # yaws farther apart than this are two hypotheses
_SHAPES = ((0.07, 0.04, 0.045), (0.09, 0.035, 0.045), (0.11, 0.045, 0.045))


@dataclass(frozen=True)
class Looking:
    """One image, the number of its camera among all, and what is known about that camera."""

    sight: Sight
    number: int
    found: Resection

    @property
    def camera(self) -> Camera:
        """The camera as first found."""
        return self.found.camera


def places(looks: Sequence[Looking], count: int, prior: BlockPrior) -> list[tuple[Array, float]]:
    """Points (3,) of the support plane where the block's centre may be, likeliest first, with their log-scores.

    Every view proposes the highest modes of its map, and all views say how likely they find each proposal, as sharply
    as their cameras and the ground's height are known.
    """
    proposed = [look.camera.meet_plane(look.sight.frame.to_pixels(_modes(look.sight))) for look in looks]
    every = np.concatenate(proposed)
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        return []
    scores = np.sum([_agreement(look, every, prior) for look in looks], axis=0)
    chosen: list[tuple[Array, float]] = []
    for i in np.argsort(scores)[::-1]:
        if all(np.linalg.norm(every[i] - place) > _APART_M for place, _ in chosen):
            chosen.append((every[i], float(scores[i])))
        if len(chosen) == count:
            break
    return chosen


def attitudes(
    looks: Sequence[Looking], cameras: Sequence[Camera], position: Array, worth_nats: float = 0.0
) -> list[Pose]:
    """The yaw and the rough size under which the views find a block at that position likeliest, and another one that is
    turned by a good part of a quarter from it, where that is less likely by `worth_nats` at most."""
    yaws = np.arange(_YAWS) * np.pi / _YAWS
    poses = [Pose.upright(position, yaw, np.array(shape)) for yaw in yaws for shape in _SHAPES]
    total = np.zeros(len(poses))
    for look in looks:
        total += log_likelihood(look, cameras[look.number], poses)
    best = int(np.argmax(total))
    apart = np.abs(angles.difference(np.repeat(yaws, len(_SHAPES)), yaws[best // len(_SHAPES)], np.pi)) > _OTHER_RAD
    other = int(np.argmax(np.where(apart, total, -np.inf)))
    return [poses[best], poses[other]] if total[other] > total[best] - worth_nats else [poses[best]]


def log_likelihood(look: Looking, camera: Camera, poses: Sequence[Pose]) -> Array:
    """(P,) log-scores that a view gives to poses: the mean over the points of each channel, summed over channels."""
    total = np.zeros(len(poses))
    for channel, values in zip(look.sight.output.channels, look.sight.maps, strict=True):
        if channel.kind == "block":
            points = np.stack([pose.points(np.array(channel.parts)) for pose in poses])
            cells = look.sight.frame.to_cells(camera.project(points)[0])
            total += heatmaps.log_scores(values, cells).mean(axis=-1)
    return total


def _modes(sight: Sight) -> Array:
    return heatmaps.modes(_centre(sight), _PEAKS, heatmaps.REACH * sight.output.sigma)


def _centre(sight: Sight) -> heatmaps.Map:
    return np.asarray(sight.maps[sight.names.index("block_centre")])


def _agreement(look: Looking, points: Array, prior: BlockPrior) -> Array:
    """(N,) log-scores of points of the plane in one view."""
    raised = points + np.array((0.0, 0.0, prior.height_sigma_m))
    pixels, lifted = look.camera.project(points)[0], look.camera.project(raised)[0]
    middle = points[len(points) // 2]
    spread = np.diag(look.found.pixel_covariance(middle)) + np.nanmean((lifted - pixels) ** 2, axis=0)
    blurred = heatmaps.blur(_centre(look.sight), np.sqrt(spread) / look.sight.frame.cell_px)
    return heatmaps.log_scores(blurred, look.sight.frame.to_cells(pixels))
