"""Where the block may be, before anything is refined: places that several views agree on, and how it may lie there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception import angles, heatmaps
from perception.adjustment import BlockPrior, Observations, Pose
from perception.camera import Camera
from perception.resection import Resection
from perception.sight import Sight

Array = NDArray[np.float64]

_FEWEST_PEAKS = 3  # of each view's map that may be the block
_APART_M = 0.02  # places nearer than this are one
_YAWS = 24
_OTHER_RAD = np.deg2rad(35.0)  # yaws farther apart than this are two hypotheses
_SHAPES = ((0.07, 0.04, 0.045), (0.09, 0.035, 0.045), (0.11, 0.045, 0.045))
_STEP_M = 0.03  # standard deviation of how far a place is off
_MOVE_M = 1e-3
_MOVES = np.array([(0.0, 0.0, 0.0), (_MOVE_M, 0.0, 0.0), (0.0, _MOVE_M, 0.0)])
_ALL_YAWS = np.repeat(np.arange(_YAWS) * np.pi / _YAWS, len(_SHAPES))
_TURNS = np.stack([Pose.upright(np.zeros(3), yaw, np.ones(3)).rotation for yaw in _ALL_YAWS])
_SIZES = np.tile(np.array(_SHAPES), (_YAWS, 1))
_OF_POSE = ("position", "rotation", "size")


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
    proposed = [look.camera.meet_plane(look.sight.frame.to_pixels(_modes(look.sight, count))) for look in looks]
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


def gathered(look_points: Sequence[tuple[Looking, Observations]], cameras: Sequence[Camera], block: Pose) -> Array:
    """Where on the plane (3,) what views see of a block agrees best: one step of Gauss and Newton from where it
    is taken to be, which it is to about _STEP_M."""
    normal, gradient = np.eye(2) / _STEP_M**2, np.zeros(2)
    for look, seen in look_points:
        camera = cameras[look.number]
        spread = look.found.pixel_covariance(block.position)
        points = block.points(seen.points)
        moved = points[:, None] + _MOVES
        pixels = camera.project(moved)[0]  # (N, 3, 2)
        slopes = (pixels[:, 1:] - pixels[:, :1]).transpose(0, 2, 1) / _MOVE_M
        weights = np.linalg.inv(seen.covariances + spread)
        normal += np.einsum("nij,nik,nkl->jl", slopes, weights, slopes)
        gradient += np.einsum("nij,nik,nk->j", slopes, weights, seen.pixels - pixels[:, 0])
    return np.asarray(block.position + np.append(np.linalg.solve(normal, gradient), 0.0))


def attitudes(
    looks: Sequence[Looking], cameras: Sequence[Camera], position: Array, worth_nats: float = 0.0
) -> list[Pose]:
    """The yaw and the rough size under which the views find a block at that position likeliest, and another one that is
    turned by a good part of a quarter from it, where that is less likely by `worth_nats` at most."""
    total = np.zeros(len(_TURNS))
    for look in looks:
        total += _likelihood(look, cameras[look.number], position[None], _TURNS, _SIZES)
    best = int(np.argmax(total))
    apart = np.abs(angles.difference(_ALL_YAWS, _ALL_YAWS[best], np.pi)) > _OTHER_RAD
    other = int(np.argmax(np.where(apart, total, -np.inf)))
    chosen = [best, other] if total[other] > total[best] - worth_nats else [best]
    return [Pose(position, _TURNS[i], _SIZES[i]) for i in chosen]


def log_likelihood(look: Looking, camera: Camera, poses: Sequence[Pose]) -> Array:
    """(P,) log-scores that a view gives to poses: the mean over the points of each channel, summed over channels."""
    return _likelihood(look, camera, *(np.stack([getattr(one, name) for one in poses]) for name in _OF_POSE))


def _likelihood(look: Looking, camera: Camera, positions: Array, rotations: Array, sizes: Array) -> Array:
    """The same of positions (P, 3) or (1, 3), rotations (P, 3, 3) and sizes (P, 3)."""
    total = np.zeros(len(rotations))
    for maps, parts in look.sight.block_maps:  # parts (C, M, 3)
        scaled = parts[:, None] * sizes[None, :, None]  # (C, P, M, 3)
        points = scaled @ rotations.transpose(0, 2, 1) + positions[:, None]
        cells = look.sight.frame.to_cells(camera.project(points)[0])
        scores = heatmaps.log_scores(maps, cells.reshape(len(maps), -1, 2))
        total += scores.reshape(cells.shape[:-1]).mean(axis=-1).sum(axis=0)
    return total


def _modes(sight: Sight, count: int) -> Array:
    """Cells (M, 2) of a view's map that may be the block, where `count` places are wanted of all views."""
    return heatmaps.modes(_centre(sight), max(_FEWEST_PEAKS, count // 2), heatmaps.REACH * sight.output.sigma)


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
