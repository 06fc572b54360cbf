"""The Panda as it is sold: the full meshes of `pybullet_data`, shell and joints in their colours, and its motion."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from perception.robot import Robot
from sim.meshes import Mesh, mesh_of

REST = np.array([0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785])
SPREAD_RAD = np.array([1.1, 0.5, 0.5, 0.55, 0.5, 0.6, 1.6])
FINGER_OPEN_M = 0.04


@dataclass(frozen=True)
class Part:
    """One mesh in the frame of its link; tone: "shell", "joint" or "metal"."""

    link: str
    name: str
    mesh: Mesh
    tone: str


@cache
def parts() -> tuple[Part, ...]:
    """Every visible piece of the robot, split by the colour that its file gives it."""
    import pybullet_data
    import trimesh

    folder = Path(pybullet_data.getDataPath()) / "franka_panda"
    found = []
    for link in ElementTree.parse(folder / "panda.urdf").getroot().iter("link"):
        for visual in link.findall("visual"):
            mesh = visual.find("geometry/mesh")
            if mesh is None:
                continue
            file = mesh.get("filename", "").removeprefix("package://")
            loaded = trimesh.load(folder / file, split_object=False, group_material=True, process=False)
            pieces = list(loaded.geometry.values()) if isinstance(loaded, trimesh.Scene) else [loaded]
            origin = _origin(visual)
            for number, piece in enumerate(pieces):
                name = f"panda/{link.get('name')}/{number}"
                found.append(Part(link.get("name", ""), name, _smooth(piece, origin), _tone(file, piece)))
    return tuple(found)


def _origin(visual: ElementTree.Element) -> np.ndarray:
    pose, origin = np.eye(4), visual.find("origin")
    if origin is not None:
        turn = [float(word) for word in origin.get("rpy", "0 0 0").split()]
        pose[:3, :3] = Rotation.from_euler("xyz", turn).as_matrix()
        pose[:3, 3] = [float(word) for word in origin.get("xyz", "0 0 0").split()]
    return pose


def _tone(file: str, piece: object) -> str:
    if "finger" in file:
        return "metal"
    if "link7" in file:
        return "joint"
    diffuse = getattr(getattr(getattr(piece, "visual", None), "material", None), "diffuse", (255, 255, 255))
    return "joint" if sum(int(value) for value in diffuse[:3]) / 3 < 128 else "shell"


def _smooth(piece: object, origin: np.ndarray) -> Mesh:
    """The piece with normals that are smooth across edges of less than 35 degrees."""
    import trimesh

    bare = trimesh.Trimesh(piece.vertices, piece.faces, process=False)  # type: ignore[attr-defined]
    bare.merge_vertices(merge_norm=True, merge_tex=True)
    shaded = trimesh.graph.smooth_shade(bare, angle=np.radians(35))
    vertices = shaded.vertices @ origin[:3, :3].T + origin[:3, 3]
    return mesh_of(vertices, shaded.faces, None, shaded.vertex_normals @ origin[:3, :3].T)


@cache
def hull_points() -> dict[str, np.ndarray]:
    """Some points (N, 3) of the surface of each link, to tell whether it touches something."""
    found: dict[str, list[np.ndarray]] = {}
    for part in parts():
        found.setdefault(part.link, []).append(part.mesh.vertices[:: max(1, len(part.mesh.vertices) // 150)])
    return {link: np.concatenate(pieces) for link, pieces in found.items()}


def surface_points(robot: Robot, joints: np.ndarray, first_link: int = 0) -> np.ndarray:
    """Points (N, 3) of the robot's surface in the base frame, of links from panda_link<first_link> on."""
    poses = robot.link_poses(joints)
    skipped = {f"panda_link{number}" for number in range(first_link)}
    return np.concatenate(
        [
            points @ poses[link][:3, :3].T + poses[link][:3, 3]
            for link, points in hull_points().items()
            if link not in skipped
        ]
    )


def reach(robot: Robot, target: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """Positions (7,) whose clamp pose is `target` (4, 4) within 0.1 mm and 0.5 mrad, by damped least squares; None
    where the search from `start` (7,) ends elsewhere."""
    arm = robot.moving[:7]
    lower, upper = (np.array([getattr(joint, side) for joint in arm]) for side in ("lower", "upper"))
    joints = np.append(start, (FINGER_OPEN_M, FINGER_OPEN_M))
    for _ in range(80):
        poses = robot.link_poses(joints)
        clamp = poses["clamp"]
        shift = target[:3, 3] - clamp[:3, 3]
        turn = Rotation.from_matrix(target[:3, :3] @ clamp[:3, :3].T).as_rotvec()
        if np.linalg.norm(shift) < 1e-4 and np.linalg.norm(turn) < 5e-4:
            return joints[:7]
        axes = np.array([poses[joint.child][:3, :3] @ joint.axis for joint in arm])
        arms = clamp[:3, 3] - np.array([poses[joint.child][:3, 3] for joint in arm])
        jacobian = np.concatenate([np.cross(axes, arms), axes], axis=1).T
        step = jacobian.T @ np.linalg.solve(
            jacobian @ jacobian.T + 4e-4 * np.eye(6), np.concatenate([shift, turn])
        )
        joints[:7] = np.clip(joints[:7] + step * min(1.0, 0.4 / np.abs(step).max()), lower, upper)
    return None
