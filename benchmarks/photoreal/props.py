"""The stage of one pose while it is filled: meshes and pictures go to Blender, items and lamps are listed."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.photoreal import panda
from perception.robot import Robot
from sim.meshes import Mesh
from sim.renderers.cycles_studio import Item, Lamp, Linear, Panorama, Set, Studio, Surface
from sim.scene import ROBOT


def linear(rgb: np.ndarray | tuple[float, float, float]) -> Linear:
    """Linear values of sRGB in [0, 1], by the power 2.2."""
    red, green, blue = (float(value) ** 2.2 for value in rgb)
    return red, green, blue


def at(x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """Pose (4, 4) upright at a place."""
    pose = np.eye(4)
    pose[:2, :2] = ((np.cos(yaw), -np.sin(yaw)), (np.sin(yaw), np.cos(yaw)))
    pose[:3, 3] = (x, y, z)
    return pose


@dataclass
class Props:
    """Collects what stands on the stage of `prefix`, which no other stage may have."""

    studio: Studio
    prefix: str
    items: list[Item] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    world: Panorama | None = None
    pictures: int = 0

    def picture(self, pixels: np.ndarray) -> str:
        """Send a picture; its name."""
        self.pictures += 1
        name = f"{self.prefix}/picture/{self.pictures}"
        self.studio.need_picture(name, pixels)
        return name

    def put(
        self, mesh: Mesh, pose: np.ndarray, surface: Surface, label: int, tint: np.ndarray | None = None
    ) -> None:
        """Set a mesh in its place (4, 4)."""
        name = f"{self.prefix}/mesh/{len(self.items)}"
        self.studio.need_mesh(name, mesh, tint)
        self.items.append(Item(name, pose, surface, label))

    def stage(self, robot: Robot, joints: np.ndarray, surfaces: dict[str, Surface]) -> Set:
        """Everything, with the robot at `joints` (9,); surfaces are those of its tones."""
        poses = robot.link_poses(joints)
        arm = []
        for part in panda.parts():
            self.studio.need_mesh(part.name, part.mesh)
            arm.append(Item(part.name, poses[part.link], surfaces[part.tone], ROBOT))
        assert self.world is not None  # every builder sets it
        return Set([*self.items, *arm], self.lamps, self.world)


def robot_surfaces(rng: np.random.Generator) -> dict[str, Surface]:
    """White shell, dark joints, metal fingers, as worn as a robot in use."""
    white = rng.uniform(0.80, 0.93)
    shell = np.array((white, white, white * rng.uniform(0.97, 1.0)))
    dark = rng.uniform(0.10, 0.24)
    return {
        "shell": Surface(
            linear(shell), roughness=rng.uniform(0.25, 0.45), specular=0.5, coat=rng.uniform(0, 0.3)
        ),
        "joint": Surface(linear((dark, dark, dark * 1.03)), roughness=rng.uniform(0.4, 0.6)),
        "metal": Surface(linear((0.42, 0.42, 0.43)), roughness=rng.uniform(0.3, 0.5), metallic=0.8),
    }
