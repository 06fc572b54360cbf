"""Rigid bodies for PyBullet: collision shapes of boxes, balls, cylinders, hulls of any mesh, and terrain.

What moves is convex, a cup full to its brim, unless the convex pieces that make it up are given. What stands still
keeps its triangles. A support whose mesh is the plane is infinite and has no underside.
"""

import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.transform import Rotation

from sim.bullet import pybullet
from sim.meshes import Mesh, load_mesh
from sim.scene import BLOCK, DISTRACTOR, ROBOT, ROOM, SUPPORT, Block, Body

LEAST_VOLUME_M3 = 1e-9  # a cubic millimetre
PLATE_M = 1e-3
MARGIN_M = 1e-4
NAMES = {SUPPORT: "support", ROBOT: "robot", BLOCK: "block", ROOM: "room"}


@dataclass(frozen=True, eq=False)
class Solid:
    """A mesh in its place: the name of one of `sim.meshes`, or a `Mesh` of the caller's own; `pose` (4, 4) maps the
    scaled mesh to the base frame. `name` is what it is called in messages. `pieces`: (K, 3) point sets in the frame of
    the scaled mesh, m, whose convex hulls together are the thing; none: it is the convex hull of its mesh."""

    mesh: str | Mesh
    pose: np.ndarray
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = "object"
    pieces: tuple[np.ndarray, ...] = ()

    @classmethod
    def of(cls, thing: "Block | Body | Solid") -> "Solid":
        """The solid of a block or a body of a scene."""
        if isinstance(thing, Solid):
            return thing
        body = thing.body if isinstance(thing, Block) else thing
        name = NAMES.get(body.label, f"distractor {body.label - DISTRACTOR}")
        return cls(body.mesh, body.pose, body.scale, name)

    @cached_property
    def vertices(self) -> np.ndarray:
        """(N, 3) of the scaled mesh, m."""
        return np.asarray(self._mesh.vertices, float) * self.scale

    @property
    def faces(self) -> np.ndarray:
        """(M, 3) int."""
        return np.asarray(self._mesh.faces)

    @property
    def volume_m3(self) -> float:
        """Volume of the hulls of the pieces, or of the mesh; raises ValueError for a mesh whose hull has none."""
        return sum(hull.volume_m3 for hull in self.hulls)

    @property
    def centre(self) -> np.ndarray:
        """(3,) centre of mass of the hulls of the pieces, or of the mesh, in the frame of the scaled mesh, m."""
        return sum((hull.volume_m3 * hull.centre for hull in self.hulls), np.zeros(3)) / self.volume_m3

    @property
    def corners(self) -> np.ndarray:
        """(N, 3) vertices of the convex hull in the frame of the scaled mesh, m."""
        return self._hull.corners

    @cached_property
    def hulls(self) -> tuple["Hull", ...]:
        """Of the pieces, or the one of the mesh."""
        if not self.pieces:
            return (self._hull,)
        return tuple(hull for hull in map(hull_of, self.pieces) if hull is not None) or (self._hull,)

    def at(self, pose: np.ndarray) -> "Solid":
        """The same solid at another pose (4, 4); its hulls are not computed again."""
        moved = replace(self, pose=pose)
        moved.__dict__.update({name: self.__dict__[name] for name in ("vertices", "hulls") if name in self.__dict__})
        return moved

    @property
    def lowest_m(self) -> float:
        """Height of the lowest vertex in the base frame."""
        return float((self.vertices @ self.pose[2, :3]).min() + self.pose[2, 3])

    @property
    def _mesh(self) -> Mesh:
        return load_mesh(self.mesh) if isinstance(self.mesh, str) else self.mesh

    @cached_property
    def _hull(self) -> "Hull":
        points = self.vertices
        if not np.isfinite(points).all():
            raise ValueError(f"the mesh of the {self.name} has vertices that are not finite: repair it.")
        hull = hull_of(points)
        if hull is None:
            extent = " x ".join(f"{1000 * side:.3g}" for side in np.ptp(points, axis=0)) if len(points) else "0"
            raise ValueError(
                f"the mesh of the {self.name} has no volume ({extent} mm): give a mesh that is not flat, in m."
            )
        return hull


@dataclass(frozen=True, eq=False)
class Hull:
    """A convex hull: corners (N, 3) m, faces (M, 3) of them, in no particular sense; centre (3,) of its volume."""

    corners: np.ndarray
    faces: np.ndarray
    centre: np.ndarray
    volume_m3: float


def hull_of(points: np.ndarray) -> Hull | None:
    """The convex hull of points (N, 3) m; None where it has less than a cubic millimetre."""
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return None
    if hull.volume < LEAST_VOLUME_M3:
        return None
    middle = points[hull.vertices].mean(axis=0)
    triangles = points[hull.simplices] - middle
    volumes = np.abs(np.linalg.det(triangles)) / 6
    centroid = middle + (volumes[:, None] * triangles.sum(axis=1) / 4).sum(axis=0) / volumes.sum()
    place = np.zeros(len(points), int)
    place[hull.vertices] = np.arange(len(hull.vertices))
    return Hull(points[hull.vertices], place[hull.simplices], centroid, float(hull.volume))


def add_moving(solid: Solid, mass_kg: float, client: int) -> int:
    """The solid as one rigid body with that mass; its PyBullet frame lies in the centre of mass, turned as the mesh."""
    shape = _compound(solid, client) if solid.pieces else _convex(solid, client)
    pose = solid.pose @ translation(solid.centre)
    return _body(shape, mass_kg, pose, client)


def add_still(solid: Solid, client: int) -> int:
    """The solid as something that does not move, concave where its mesh is; its PyBullet frame is that of the mesh."""
    if solid.mesh == "plane" and solid.name == NAMES[SUPPORT]:
        shape = pybullet.createCollisionShape(pybullet.GEOM_PLANE, planeNormal=(0, 0, 1), physicsClientId=client)
    elif solid.mesh == "plane":
        half = (solid.scale[0] / 2, solid.scale[1] / 2, PLATE_M / 2)
        shape = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client)
    elif isinstance(solid.mesh, str) and solid.mesh in ("box", "sphere", "cylinder"):
        return _body(_convex(solid, client), 0.0, solid.pose @ translation(solid.centre), client)
    else:
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_MESH,
            vertices=solid.vertices.tolist(),
            indices=solid.faces.ravel().tolist(),
            flags=pybullet.GEOM_FORCE_CONCAVE_TRIMESH,
            physicsClientId=client,
        )
    return _body(shape, 0.0, solid.pose, client)


def _convex(solid: Solid, client: int) -> int:
    x, y, z = solid.scale
    if solid.mesh == "box":
        return int(
            pybullet.createCollisionShape(
                pybullet.GEOM_BOX, halfExtents=(x / 2, y / 2, z / 2), physicsClientId=client
            )
        )
    if solid.mesh == "sphere" and np.allclose((y, z), x):
        return int(pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=x / 2, physicsClientId=client))
    if solid.mesh == "cylinder" and np.isclose(x, y):
        return int(
            pybullet.createCollisionShape(
                pybullet.GEOM_CYLINDER, radius=x / 2, height=z, physicsClientId=client
            )
        )
    points = solid.corners - solid.centre
    return int(
        pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=points.tolist(), physicsClientId=client)
    )


def _compound(solid: Solid, client: int) -> int:
    """All hulls as one shape: PyBullet makes a hull of each object of an OBJ file, and of arrays only one."""
    lines, first = [], 1
    for number, hull in enumerate(solid.hulls):
        lines.append(f"o {number}")
        lines += ["v {:.7g} {:.7g} {:.7g}".format(*corner) for corner in hull.corners - solid.centre]
        lines += ["f {} {} {}".format(*face) for face in hull.faces + first]
        first += len(hull.corners)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pieces.obj"
        path.write_text("\n".join(lines) + "\n")
        return int(
            pybullet.createCollisionShape(pybullet.GEOM_MESH, fileName=str(path), physicsClientId=client)
        )


def _body(shape: int, mass_kg: float, pose: np.ndarray, client: int) -> int:
    body = pybullet.createMultiBody(
        mass_kg,
        shape,
        basePosition=pose[:3, 3].tolist(),
        baseOrientation=quaternion(pose),
        physicsClientId=client,
    )
    # PyBullet's own margin rounds the corners of boxes by millimetres where they meet triangles.
    kind = pybullet.getCollisionShapeData(body, -1, physicsClientId=client)[0][2]
    if kind in (pybullet.GEOM_MESH, pybullet.GEOM_BOX):
        pybullet.changeDynamics(body, -1, collisionMargin=MARGIN_M, physicsClientId=client)
    return int(body)


def translation(offset_m: np.ndarray) -> np.ndarray:
    """(4, 4)."""
    pose = np.eye(4)
    pose[:3, 3] = offset_m
    return pose


def quaternion(pose: np.ndarray) -> list[float]:
    """(x, y, z, w) of a pose (4, 4)."""
    return [float(value) for value in Rotation.from_matrix(pose[:3, :3]).as_quat()]
