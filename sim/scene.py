"""A scene as plain data: what stands where, how it looks, how it is lit and from where it is seen.

Units are metres and radians; the base frame is the robot's base link, whose plane z = 0 is the support.
"""

from dataclasses import dataclass

import numpy as np

from perception.camera import Camera


@dataclass(frozen=True)
class Material:
    """Colour in [0, 1] and, where `texture` is not None, the seed of a procedural texture that it multiplies."""

    rgb: tuple[float, float, float]
    texture: int | None = None


@dataclass(frozen=True)
class Block:
    """A cuboid on the support: the origin is the centre of its bottom face, x runs along its long side, z up.

    A block that is lifted or tilted has its `pose` (4, 4), T_base_block; the other numbers then tell its place on
    the support under it.
    """

    size_m: tuple[float, float, float]
    x_m: float
    y_m: float
    yaw_rad: float
    material: Material
    pose: np.ndarray | None = None

    @property
    def axis(self) -> np.ndarray:
        """(3,) unit vector of the long side in the base frame."""
        return np.array([np.cos(self.yaw_rad), np.sin(self.yaw_rad), 0.0])

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The centre (1, 3) and the two ends (2, 3) of the bottom face's long axis, base frame, metres."""
        centre = np.array([[self.x_m, self.y_m, 0.0]])
        half = self.size_m[0] / 2 * self.axis
        return centre, np.concatenate([centre - half, centre + half])


@dataclass(frozen=True)
class Light:
    """One distant light; `direction` points from the scene to the light. Coefficients of the Phong model."""

    direction: tuple[float, float, float]
    rgb: tuple[float, float, float]
    ambient: float
    diffuse: float
    specular: float
    shadow: bool


@dataclass(frozen=True)
class Scene:
    """Everything that an image depends on. `joints` (9,) in the order of the robot's joint names, rad and m."""

    seed: int
    index: int
    joints: np.ndarray
    block: Block
    plane: Material
    background: Material
    robot_light: Material
    robot_dark: Material
    light: Light
    cameras: tuple[Camera, ...]
