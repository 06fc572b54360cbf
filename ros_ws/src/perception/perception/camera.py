"""The camera model: square pixels, principal point at the image centre, one coefficient of radial distortion."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
NEAREST_DEPTH_M = 1e-3
_UNDISTORTING_STEPS = 12  # to 1e-4 px for |k1| of 0.2 in the corners of a wide image
LEAST_STRETCH = 2.0 / 3.0  # where r (1 + k1 r^2) stops growing for k1 < 0; beyond it no image is folded back


@dataclass(frozen=True)
class Camera:
    """A camera of width x height pixels; T_camera_base (4, 4) maps base to camera coordinates (x right, y
    down).

    Pixel centres lie at integer + 0.5, so that the image spans [0, width] x [0, height]. A point at radius r from the
    image's centre, in focal lengths, appears at r (1 + k1 r^2) (Brown, 1966).
    """

    focal_px: float
    width: int
    height: int
    T_camera_base: Array
    k1: float = 0.0

    @classmethod
    def looking_at(
        cls,
        eye_m: ArrayLike,
        target_m: ArrayLike,
        focal_px: float,
        width: int,
        height: int,
        roll_rad: float = 0.0,
    ) -> Self:
        """The camera at eye_m (base frame) whose optical axis passes target_m; the base's z is up in the
        image.

        roll_rad turns the camera about its optical axis (x axis towards y axis). Raises ValueError for a
        camera that looks straight up or down, where "up in the image" has no meaning.
        """
        eye = np.asarray(eye_m, dtype=np.float64)
        forward = np.asarray(target_m, dtype=np.float64) - eye
        forward = forward / np.linalg.norm(forward)
        x, y, z = forward.tolist()
        level = float(np.hypot(x, y))
        if level < 1e-6:
            raise ValueError(f"a camera at {eye} looking along {forward} has no upright orientation")
        right = np.array([y, -x, 0.0]) / level  # forward x up
        down = np.array([x * z, y * z, -(level**2)]) / level  # forward x right
        cos, sin = np.cos(roll_rad), np.sin(roll_rad)
        rotation = np.stack([cos * right + sin * down, cos * down - sin * right, forward])
        pose = np.eye(4)
        pose[:3, :3] = rotation
        pose[:3, 3] = -rotation @ eye
        return cls(float(focal_px), width, height, pose)

    @property
    def matrix(self) -> Array:
        """Intrinsic matrix K (3, 3)."""
        return np.array(
            [[self.focal_px, 0.0, self.width / 2], [0.0, self.focal_px, self.height / 2], [0.0, 0.0, 1.0]]
        )

    @property
    def position_m(self) -> Array:
        """Optical centre (3,) in the base frame."""
        return np.asarray(-self.T_camera_base[:3, :3].T @ self.T_camera_base[:3, 3])

    def project(self, points_m: ArrayLike) -> tuple[Array, Array]:
        """Pixels (..., 2) and depths (...) in m of points (..., 3) of the base frame.

        Pixels of points behind the camera are NaN. Pixels outside the image are returned as they are.
        """
        points = np.asarray(points_m, dtype=np.float64)
        in_camera = points @ self.T_camera_base[:3, :3].T + self.T_camera_base[:3, 3]
        depth = in_camera[..., 2]
        in_front = depth > NEAREST_DEPTH_M
        safe = np.where(in_front, depth, np.nan)[..., None]
        centre = np.array([self.width / 2, self.height / 2])
        place = in_camera[..., :2] / safe
        if self.k1:
            radius = np.sum(place**2, axis=-1, keepdims=True)
            place = place * np.maximum(1.0 + self.k1 * radius, LEAST_STRETCH)
        return self.focal_px * place + centre, depth

    def meet_plane(self, pixels: ArrayLike, height_m: float = 0.0) -> Array:
        """Points (..., 3) of the plane z = height_m in base that appear at pixels (..., 2); NaN where a ray does not
        come down on it."""
        seen = (np.asarray(pixels, dtype=np.float64) - (self.width / 2, self.height / 2)) / self.focal_px
        place = seen
        for _ in range(_UNDISTORTING_STEPS if self.k1 else 0):
            place = seen / np.maximum(1.0 + self.k1 * np.sum(place**2, axis=-1, keepdims=True), LEAST_STRETCH)
        rays = np.concatenate([place, np.ones((*place.shape[:-1], 1))], axis=-1) @ self.T_camera_base[:3, :3]
        eye = self.position_m
        with np.errstate(divide="ignore", invalid="ignore"):
            along = (height_m - eye[2]) / rays[..., 2:]
            return np.asarray(np.where(along > 0, eye + along * rays, np.nan))
