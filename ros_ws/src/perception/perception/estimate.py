"""What the localizer returns: poses with covariance, marginal posteriors and the views that they came
from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.angles import difference, wrap
from perception.camera import Camera

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Probabilities (N,), summing to 1, of the bins with the given centres (N,)."""

    centres: Array
    probabilities: Array


@dataclass(frozen=True)
class Mode:
    """One place where the block may be: mean (3,) and covariance (3, 3) of x_m, y_m, yaw_rad; weight in [0, 1]."""

    mean: Array
    covariance: Array
    weight: float


@dataclass(frozen=True)
class Evidence:
    """What one image had to say: the probabilities, by its network, that it shows the robot and, near the estimate,
    the block. used: whether its camera was found. doubt: what is missing, in one sentence without a full stop; empty
    where nothing is."""

    camera: str
    robot: float
    block: float
    used: bool
    doubt: str = ""


@dataclass(frozen=True)
class BlockEstimate:
    """Pose of the block in `frame`, "base" or "clamp".

    x_m, y_m, z_m: centre of the block's bottom face. yaw_rad: atan2 of the long axis in the frame, in [0,
    pi). covariance (3, 3): of x_m, y_m, yaw_rad. size_m: length, width and height. modes: all places where the block
    may be, likeliest first; the pose is the first one's. confidence: in [0, 1], that the block is where the first mode
    has it (perception.doubts). x, y, yaw: marginal posteriors over the bins. evidence: one per image given, in that
    order; cameras: the camera found for each name, without those that could not be found and so had no say. stamp_s:
    time of the oldest image. T_base_frame (4, 4): maps coordinates of the frame to base coordinates. doubts: what
    speaks against the estimate as a whole, in sentences without a full stop.
    """

    stage: str
    frame: str
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    covariance: Array
    size_m: tuple[float, float, float]
    modes: tuple[Mode, ...]
    confidence: float
    x: Posterior
    y: Posterior
    yaw: Posterior
    evidence: tuple[Evidence, ...]
    cameras: dict[str, Camera]
    stamp_s: float
    engine: str
    T_base_frame: Array = field(default_factory=lambda: np.eye(4))
    doubts: tuple[str, ...] = ()

    @property
    def length_m(self) -> float:
        """Of the block's long side."""
        return self.size_m[0]

    @property
    def views(self) -> tuple[str, ...]:
        """Camera of each image given."""
        return tuple(one.camera for one in self.evidence)

    def errors(self, T_base_block: Array) -> Array:
        """(3,) of x_m, y_m, yaw_rad in the estimate's frame, for a block whose pose in base is T_base_block (4, 4)."""
        truth = np.linalg.inv(self.T_base_frame) @ T_base_block
        turn = difference(self.yaw_rad, np.arctan2(truth[1, 0], truth[0, 0]), np.pi)
        return np.array([self.x_m - truth[0, 3], self.y_m - truth[1, 3], float(turn)])

    def in_base(self) -> tuple[float, float, float]:
        """x_m, y_m, yaw_rad of the block in the base frame; yaw in [0, pi)."""
        position = self.T_base_frame @ (self.x_m, self.y_m, self.z_m, 1.0)
        axis = level_direction(self.T_base_frame[:3, :3], np.array(self.yaw_rad))
        yaw = wrap(np.arctan2(axis[1], axis[0]), np.pi)
        return float(position[0]), float(position[1]), float(yaw)


@dataclass(frozen=True)
class ToolEstimate:
    """Place of the clamp's origin in one image, in pixels; covariance (2, 2) in px^2; confidence: the probability that
    it is near there; u, v: marginal posteriors."""

    camera: str
    u_px: float
    v_px: float
    covariance: Array
    confidence: float
    u: Posterior
    v: Posterior
    width: int
    height: int
    stamp_s: float
    engine: str


def level_direction(R_base_frame: Array, yaw_rad: Array) -> Array:
    """Horizontal unit vectors (..., 3) in base whose yaw in the frame is yaw_rad (...).

    The frame need not be exactly level: the vector's component along the frame's z axis is chosen such that
    it lies in the base's xy plane.
    """
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    along_z = -(R_base_frame[2, 0] * cos + R_base_frame[2, 1] * sin) / R_base_frame[2, 2]
    direction = np.stack([cos, sin, along_z], axis=-1) @ R_base_frame.T
    return np.asarray(direction / np.linalg.norm(direction, axis=-1, keepdims=True))


def height_of_plane(T_base_frame: Array, x_m: ArrayLike, y_m: ArrayLike) -> Array:
    """z coordinates (...) in the frame of the points of the support plane (base z = 0) at x_m, y_m of the
    frame."""
    row = T_base_frame[2]
    return -(row[0] * np.asarray(x_m) + row[1] * np.asarray(y_m) + row[3]) / row[2]
