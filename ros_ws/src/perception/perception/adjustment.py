"""Cameras and block together, from everything that all views show: robust bundle adjustment.

Unknown are each camera's focal length, radial distortion, rotation and translation, and the block's place, rotation
and size; known are the robot's points in space. The sum of Cauchy losses of all reprojection errors, in standard
deviations, and of the priors is minimized by Levenberg-Marquardt (Triggs et al., "Bundle adjustment - a modern
synthesis", 2000). The inverse of the normal matrix at the minimum gives the block's covariance, with all that the
cameras leave open in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.camera import LEAST_STRETCH, NEAREST_DEPTH_M, Camera

Array = NDArray[np.float64]

CAMERA, BLOCK = 8, 9  # unknowns of a camera: log focal, rotation, translation, k1; of the block: place, rotation, size
FOCAL_PRIOR_WIDTHS = 1.1  # median focal length in image widths
FOCAL_PRIOR_SIGMA = 0.35  # of the logarithm of the focal length
_CAUCHY = 2.0  # residuals of so many standard deviations count half
_ITERATIONS = 30
_K1_SIGMA = 0.05
_ENOUGH = 1e-3  # a step that gains less, in squared standard deviations, ends the search
_OUTLIER = 3.0  # standard deviations beyond which a residual tells nothing more about the others
_USUAL_SIDE, _SIDE_SCATTER, _ASPECT_SCATTER = 1.6, 0.5, 0.1  # the first two in deviations of the prior
_BEHIND = 1e3  # residual, in standard deviations, of a point behind the camera


@dataclass(frozen=True)
class BlockPrior:
    """What is known of blocks before looking: height of the bottom's centre above the support plane, tilt of the
    vertical axis (standard deviations), mean and standard deviation of length, width and height, and the least ratio of
    length to width."""

    height_sigma_m: float = 0.008
    tilt_sigma_rad: float = 0.06
    size_m: tuple[float, float, float] = (0.085, 0.040, 0.045)
    size_sigma_m: tuple[float, float, float] = (0.020, 0.010, 0.010)
    least_aspect: float = 1.3

    def log_density_of_size(self, size_m: Array) -> float:
        """Of a size (3,) as found, 0 for that of a block: sides within _USUAL_SIDE deviations, and the first at least
        `least_aspect` times the second. What lies beyond falls off as measured sides scatter."""
        beyond = np.abs(size_m - np.array(self.size_m)) / self.size_sigma_m - _USUAL_SIDE
        short = self.least_aspect - size_m[0] / size_m[1]
        off = np.append(beyond / _SIDE_SCATTER, short / _ASPECT_SCATTER)
        return float(-0.5 * np.sum(np.maximum(off, 0.0) ** 2))


@dataclass(frozen=True)
class Pose:
    """A block: position (3,) of the bottom's centre, rotation (3, 3) to base, size (3,); m."""

    position: Array
    rotation: Array
    size: Array

    @classmethod
    def upright(cls, position: Array, yaw_rad: float, size: Array) -> "Pose":
        """A block that lies flat."""
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        return cls(position, np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]), size)

    @property
    def yaw_rad(self) -> float:
        """Of the long side, seen from above."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))

    def points(self, parts: Array) -> Array:
        """(..., 3) in base of points (..., 3) in units of the block's size."""
        return np.asarray((parts * self.size) @ self.rotation.T + self.position)


@dataclass(frozen=True)
class Observations:
    """N points in images: camera (N,) numbers, pixels (N, 2), covariances (N, 2, 2), whether each is of the block
    (N,), and where it is: points (N, 3) in m of base, for those of the block in units of its size."""

    camera: NDArray[np.intp]
    pixels: Array
    covariances: Array
    of_block: NDArray[np.bool_]
    points: Array

    @classmethod
    def join(cls, parts: "Sequence[Observations]") -> "Observations":
        """All observations of the parts."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class Adjusted:
    """Cameras and block at the minimum; covariance (9, 9) of the block's place, rotation vector (base) and size;
    cost: the sum of the losses; residuals (N,): distances of points in standard deviations."""

    cameras: tuple[Camera, ...]
    block: Pose
    covariance: Array
    cost: float
    residuals: Array

    @property
    def variance_factor(self) -> float:
        """Squared residuals as a multiple of what their covariances claim, outliers held at `_OUTLIER`: the a
        posteriori variance of unit weight. 0 where there are no observations."""
        squares = np.minimum(self.residuals, _OUTLIER) ** 2
        return float(squares.mean()) / 2.0 if len(squares) else 0.0


def adjust(
    observations: Observations, cameras: Sequence[Camera], block: Pose, prior: BlockPrior | None = None
) -> Adjusted:
    """The cameras and the block that explain the observations best, near those given."""
    problem = _Problem(observations, prior or BlockPrior())
    state = (tuple(cameras), block)
    cost, damping = problem.cost(*state), 1e-4
    matrix, gradient = problem.normal_equations(*state)
    for _ in range(_ITERATIONS):
        diagonal = matrix.flat[:: len(matrix) + 1]
        damped = matrix + np.diag(damping * diagonal + 1e-9)
        step = np.asarray(-np.linalg.solve(damped, gradient), dtype=np.float64)
        moved = _moved(*state, step)
        moved_cost = problem.cost(*moved)
        if not moved_cost < cost:
            damping *= 10.0
            if damping > 1e4:
                break
            continue
        gained, state, cost = cost - moved_cost, moved, moved_cost
        damping = max(damping / 10.0, 1e-7)
        matrix, gradient = problem.normal_equations(*state)
        if gained < _ENOUGH:
            break
    covariance = np.asarray(np.linalg.pinv(matrix, hermitian=True)[-BLOCK:, -BLOCK:], dtype=np.float64)
    return Adjusted(*state, covariance, cost, problem.residuals(*state))


def _moved(cameras: tuple[Camera, ...], block: Pose, step: Array) -> tuple[tuple[Camera, ...], Pose]:
    step = np.clip(step, -0.5, 0.5)
    changed = []
    for camera, part in zip(cameras, step[:-BLOCK].reshape(-1, CAMERA), strict=True):
        pose = camera.T_camera_base.copy()
        pose[:3, :3] = cv2.Rodrigues(part[1:4])[0] @ pose[:3, :3]
        pose[:3, 3] += part[4:7]
        changed.append(
            replace(
                camera,
                focal_px=camera.focal_px * float(np.exp(part[0])),
                T_camera_base=pose,
                k1=float(np.clip(camera.k1 + part[7], -0.5, 0.5)),
            )
        )
    own = step[-BLOCK:]
    turned = cv2.Rodrigues(own[3:6])[0] @ block.rotation
    return tuple(changed), Pose(block.position + own[:3], turned, np.maximum(block.size + own[6:], 1e-3))


class _Problem:
    """Residuals and normal equations over all cameras and the block."""

    def __init__(self, observations: Observations, prior: BlockPrior) -> None:
        self.seen, self.prior = observations, prior
        self.whiten = np.linalg.inv(np.linalg.cholesky(observations.covariances))
        self.rows = np.arange(len(observations.camera))

    def cost(self, cameras: tuple[Camera, ...], block: Pose) -> float:
        loss = _CAUCHY**2 * np.sum(np.log1p((self.residuals(cameras, block) / _CAUCHY) ** 2))
        priors, _ = self._priors(cameras, block)
        return float(loss + priors @ priors)

    def residuals(self, cameras: tuple[Camera, ...], block: Pose) -> Array:
        whitened, in_front, *_ = self._project(cameras, block)
        return np.where(in_front, np.hypot(whitened[:, 0], whitened[:, 1]), _BEHIND)

    def _project(self, cameras: tuple[Camera, ...], block: Pose) -> tuple[Array, ...]:
        """Whitened residuals (N, 2), whether in front (N,), and what the derivatives are made of."""
        index = self.seen.camera
        rotation = np.array([camera.T_camera_base[:3, :3] for camera in cameras])[index]
        translation = np.array([camera.T_camera_base[:3, 3] for camera in cameras])[index]
        focal, k1 = (np.array([getattr(camera, name) for camera in cameras])[index] for name in ("focal_px", "k1"))
        centre = np.array([(camera.width / 2, camera.height / 2) for camera in cameras])[index]
        offset = np.where(self.seen.of_block[:, None], (self.seen.points * block.size) @ block.rotation.T, 0.0)
        places = np.where(self.seen.of_block[:, None], offset + block.position, self.seen.points)
        turned = (rotation @ places[..., None])[..., 0]
        in_camera = turned + translation
        depth = in_camera[:, 2]
        in_front = depth > NEAREST_DEPTH_M
        inverse = np.where(in_front, 1.0 / np.where(in_front, depth, 1.0), 0.0)
        x, y = in_camera[:, 0] * inverse, in_camera[:, 1] * inverse
        stretch = np.maximum(1.0 + k1 * (x * x + y * y), LEAST_STRETCH)
        pixels = (focal * stretch)[:, None] * np.stack([x, y], axis=-1) + centre
        whitened = (self.whiten @ (pixels - self.seen.pixels)[..., None])[..., 0]
        return whitened, in_front, rotation, turned, offset, focal, k1, inverse, x, y, stretch

    def normal_equations(self, cameras: tuple[Camera, ...], block: Pose) -> tuple[Array, Array]:
        """Gauss-Newton matrix and gradient over (8 of each camera, 9 of the block)."""
        whitened, in_front, rotation, turned, offset, focal, k1, inverse, x, y, stretch = self._project(cameras, block)
        square = np.sum(whitened**2, axis=-1)
        weight = in_front / (1.0 + square / _CAUCHY**2)
        # Derivatives of the pixel by the place in normalised coordinates, then by the point in the camera's frame.
        by_place = np.empty((len(x), 2, 2))
        by_place[:, 0, 0] = focal * (stretch + 2 * k1 * x * x)
        by_place[:, 1, 1] = focal * (stretch + 2 * k1 * y * y)
        by_place[:, 0, 1] = by_place[:, 1, 0] = focal * 2 * k1 * x * y
        to_place = np.zeros((len(x), 2, 3))
        to_place[:, 0, 0] = to_place[:, 1, 1] = inverse
        to_place[:, 0, 2], to_place[:, 1, 2] = -x * inverse, -y * inverse
        by_point = self.whiten @ by_place @ to_place
        own = np.zeros((len(x), 2, CAMERA))
        seen = (self.whiten @ np.stack([x, y], axis=-1)[..., None])[..., 0]
        own[..., 0] = (focal * stretch)[:, None] * seen
        own[..., 1:4] = -by_point @ _cross(turned)
        own[..., 4:7] = by_point
        own[..., 7] = (focal * (x * x + y * y))[:, None] * seen
        size = CAMERA * len(cameras) + BLOCK
        full = np.zeros((len(x), 2, size))
        columns = CAMERA * self.seen.camera[:, None] + np.arange(CAMERA)
        full[self.rows[:, None, None], np.arange(2)[None, :, None], columns[:, None, :]] = own
        mine = self.seen.of_block
        by_base = by_point[mine] @ rotation[mine]
        full[mine, :, -9:-6] = by_base
        full[mine, :, -6:-3] = -by_base @ _cross(offset[mine])
        full[mine, :, -3:] = by_base @ (block.rotation[None] * self.seen.points[mine][:, None, :])
        rows = full.reshape(-1, size)
        weighted = rows * np.repeat(weight, 2)[:, None]
        priors, slopes = self._priors(cameras, block)
        return (
            weighted.T @ rows + slopes.T @ slopes,
            weighted.T @ whitened.ravel() + slopes.T @ priors,
        )

    def _priors(self, cameras: tuple[Camera, ...], block: Pose) -> tuple[Array, Array]:
        """Residuals (P,) of what is known beforehand, and their derivatives."""
        size, prior = CAMERA * len(cameras) + BLOCK, self.prior
        residuals = np.zeros(2 * len(cameras) + 6)
        slopes = np.zeros((len(residuals), size))
        for i, camera in enumerate(cameras):
            residuals[2 * i] = np.log(camera.focal_px / (FOCAL_PRIOR_WIDTHS * camera.width)) / FOCAL_PRIOR_SIGMA
            slopes[2 * i, CAMERA * i] = 1.0 / FOCAL_PRIOR_SIGMA
            residuals[2 * i + 1] = camera.k1 / _K1_SIGMA
            slopes[2 * i + 1, CAMERA * i + 7] = 1.0 / _K1_SIGMA
        residuals[-6] = block.position[2] / prior.height_sigma_m
        slopes[-6, -7] = 1.0 / prior.height_sigma_m
        up = block.rotation[:, 2]
        residuals[-5:-3] = up[:2] / prior.tilt_sigma_rad
        slopes[-5, -6:-3] = np.array([0.0, up[2], -up[1]]) / prior.tilt_sigma_rad
        slopes[-4, -6:-3] = np.array([-up[2], 0.0, up[0]]) / prior.tilt_sigma_rad
        residuals[-3:] = (block.size - prior.size_m) / prior.size_sigma_m
        slopes[-3:, -3:] = np.diag(1.0 / np.array(prior.size_sigma_m))
        return residuals, slopes


def _cross(vectors: Array) -> Array:
    """(N, 3, 3) matrices of the cross product with vectors (N, 3)."""
    out = np.zeros((len(vectors), 3, 3))
    out[:, 0, 1], out[:, 0, 2] = -vectors[:, 2], vectors[:, 1]
    out[:, 1, 0], out[:, 1, 2] = vectors[:, 2], -vectors[:, 0]
    out[:, 2, 0], out[:, 2, 1] = -vectors[:, 1], vectors[:, 0]
    return out
