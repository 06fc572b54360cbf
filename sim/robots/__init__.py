"""Robots as the simulator needs them: kinematics, parts, the URDF for physics, places and ranges."""

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from perception.robot import Robot
from sim.meshes import Mesh, mesh_of
from sim.panda import panda_urdf
from sim.robots.description import Keypoint, Part, RobotDescription

__all__ = ["Keypoint", "Part", "RobotDescription", "load_part", "load_robot"]


def _at(name: str, link: str, *points: tuple[float, float, float]) -> Keypoint:
    return Keypoint(name, tuple((link, point) for point in points or ((0.0, 0.0, 0.0),)))


_HAND, _CLAMP, _FLANGE = _at("hand", "panda_hand"), _at("clamp", "clamp"), _at("flange", "panda_link7")
_OVERVIEW = (
    _at("base", "panda_link0"),
    _at("base_rear", "panda_link0", (-0.14, 0.0, 0.0)),
    _at("base_right", "panda_link0", (0.0, -0.09, 0.0)),
    _at("base_left", "panda_link0", (0.0, 0.09, 0.0)),
    _at("shoulder", "panda_link2"),
    _at("upper_arm", "panda_link3"),
    _at("elbow", "panda_link4"),
    _at("wrist", "panda_link6"),
    _FLANGE,
    _HAND,
    _CLAMP,
)
_CLOSE_UP = (
    _CLAMP,
    _HAND,
    _FLANGE,
    Keypoint(
        "finger_tips",
        (("panda_leftfinger", (0.0, 0.0, 0.0466)), ("panda_rightfinger", (0.0, 0.0, 0.0466))),
    ),
    _at("hand_ends", "panda_hand", (0.0, 0.1, 0.03), (0.0, -0.1, 0.03)),
)


@cache
def load_robot(name: str = "panda") -> RobotDescription:
    """The robot of that name; raises ValueError that lists the names for another one."""
    robot = Robot.load(name)
    parts = tuple(
        Part(link, f"robot/{name}/{number}", int("_dark" in file))
        for number, (link, file, _) in enumerate(_visuals(panda_urdf()))
    )
    return RobotDescription(
        name=name,
        robot=robot,
        urdf=panda_urdf(),
        parts=parts,
        tones=((0.95, 0.95, 0.95), (0.25, 0.25, 0.25)),
        home=np.array([0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785, 0.04, 0.04]),
        arm=tuple(range(7)),
        fingers=(7, 8),
        arm_spread_rad=np.array([1.1, 0.55, 0.5, 0.6, 0.5, 0.6, 1.8]),
        opening=(0.0, 0.04),
        tips=(("panda_leftfinger", (0.0, 0.0, 0.0466)), ("panda_rightfinger", (0.0, 0.0, 0.0466))),
        reach_m=(0.34, 0.64),
        workspace_x_m=(0.25, 0.64),
        workspace_y_m=(-0.40, 0.40),
        hover_height_m=(0.08, 0.20),
        camera_target_m=np.array([0.36, 0.0, 0.20]),
        span_m=1.0,
        clear_links=("panda_link6", "panda_link7", "panda_hand", "clamp"),
        arm_force=np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0]),
        finger_force=30.0,
        overview=_OVERVIEW,
        close_up=_CLOSE_UP,
    )


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
