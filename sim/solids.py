"""Rigid bodies for PyBullet: collision shapes of boxes, balls, cylinders, hulls of any mesh, and terrain.

What moves is convex: a mesh is taken as its convex hull, so that a cup is full to its brim. What stands still keeps its
triangles. A support whose mesh is the plane is infinite and has no underside.
"""

from dataclasses import dataclass
from functools import cached_property

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
    scaled mesh to the base frame. `name` is what it is called in messages."""

    mesh: str | Mesh
    pose: np.ndarray
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = "object"

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
        """Volume of the convex hull; raises ValueError for a mesh that has none."""
        return self._hull[0]

    @property
    def centre(self) -> np.ndarray:
        """(3,) centre of mass of the convex hull in the frame of the scaled mesh, m."""
        return self._hull[1]

    @property
    def corners(self) -> np.ndarray:
        """(N, 3) vertices of the convex hull in the frame of the scaled mesh, m."""
        return self._hull[2]

    @property
    def lowest_m(self) -> float:
        """Height of the lowest vertex in the base frame."""
        return float((self.vertices @ self.pose[2, :3]).min() + self.pose[2, 3])

    @property
    def _mesh(self) -> Mesh:
        return load_mesh(self.mesh) if isinstance(self.mesh, str) else self.mesh

    @cached_property
    def _hull(self) -> tuple[float, np.ndarray, np.ndarray]:
        points = self.vertices
        if not np.isfinite(points).all():
            raise ValueError(f"the mesh of the {self.name} has vertices that are not finite: repair it.")
        try:
            hull = ConvexHull(points)
        except (QhullError, ValueError):
            hull = None
        if hull is None or hull.volume < LEAST_VOLUME_M3:
            extent = " x ".join(f"{1000 * side:.3g}" for side in np.ptp(points, axis=0)) if len(points) else "0"
            raise ValueError(
                f"the mesh of the {self.name} has no volume ({extent} mm): give a mesh that is not flat, in m."
            )
        middle = points[hull.vertices].mean(axis=0)
        triangles = points[hull.simplices] - middle
        volumes = np.abs(np.linalg.det(triangles)) / 6
        centroid = middle + (volumes[:, None] * triangles.sum(axis=1) / 4).sum(axis=0) / volumes.sum()
        return float(hull.volume), centroid, points[hull.vertices]


def add_moving(solid: Solid, mass_kg: float, client: int) -> int:
    """The solid as a convex body with that mass; its PyBullet frame lies in the centre of mass, turned as the mesh."""
    shape = _convex(solid, client)
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
