"""A shape as a rigid body."""

import numpy as np

from sim.meshes import mesh_of
from sim.shapes.family import ObjectShape
from sim.solids import Solid


def solid_of(shape: ObjectShape, pose: np.ndarray) -> Solid:
    """What PyBullet moves, hollow where the shape is: its object frame at a pose (4, 4) in base."""
    return Solid(mesh_of(shape.vertices, shape.faces), pose, name=shape.category, pieces=shape.pieces)
