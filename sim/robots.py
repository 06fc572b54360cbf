"""Robots as the simulator needs them: kinematics, the parts that are seen, the URDF for physics, and where they start."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from perception.robot import Robot
from sim.meshes import Mesh, mesh_of
from sim.panda import panda_urdf


@dataclass(frozen=True)
class Part:
    """One mesh of `sim.meshes`, given in the frame of its link; `tone` says which of the robot's materials it has."""

    link: str
    mesh: str
    tone: int


@dataclass(frozen=True, eq=False)
class RobotDescription:
    """What the simulator knows of a robot beyond its kinematics."""

    name: str
    robot: Robot
    urdf: Path
    parts: tuple[Part, ...]


@cache
def load_robot(name: str) -> RobotDescription:
    """The robot of that name; raises ValueError that lists the names for another one."""
    robot = Robot.load(name)
    parts = tuple(
        Part(link, f"robot/{name}/{number}", int("_dark" in file))
        for number, (link, file, _) in enumerate(_visuals(panda_urdf()))
    )
    return RobotDescription(name, robot, panda_urdf(), parts)


def load_part(name: str) -> Mesh:
    """The mesh of part NAME/NUMBER, in the frame of its link."""
    import trimesh

    _, _, number = name.partition("/")
    _, file, origin = _visuals(panda_urdf())[int(number)]
    mesh = trimesh.load(panda_urdf().parent / file, process=False, force="mesh")
    vertices = mesh.vertices @ origin[:3, :3].T + origin[:3, 3]
    return mesh_of(vertices, mesh.faces, None, mesh.vertex_normals @ origin[:3, :3].T)


@cache
def _visuals(urdf: Path) -> list[tuple[str, str, np.ndarray]]:
    """(link, mesh file, T_link_mesh) of every visual."""
    found = []
    for link in ElementTree.parse(urdf).getroot().iter("link"):
        for visual in link.findall("visual"):
            origin, pose = visual.find("origin"), np.eye(4)
            if origin is not None:
                pose[:3, :3] = Rotation.from_euler("xyz", _floats(origin.get("rpy", "0 0 0"))).as_matrix()
                pose[:3, 3] = _floats(origin.get("xyz", "0 0 0"))
            mesh = visual.find("geometry/mesh")
            if mesh is not None:
                found.append((link.get("name", ""), mesh.get("filename", "").removeprefix("package://"), pose))
    return found


def _floats(text: str) -> list[float]:
    return [float(word) for word in text.split()]
