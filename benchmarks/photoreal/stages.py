"""The stage of one pose of a set: surroundings, block, and what goes with it."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from benchmarks.photoreal import clutter, indoors, outdoors, patterns
from benchmarks.photoreal.draws import draws
from benchmarks.photoreal.layout import Layout
from benchmarks.photoreal.props import Props, at, linear, robot_surfaces
from benchmarks.photoreal.shapes import rounded_box
from perception.robot import Robot
from sim.renderers.cycles_studio import Set, Studio, Surface
from sim.scene import BLOCK

MOST_TILT_RAD = np.radians(12)


@dataclass(frozen=True, eq=False)
class Stage:
    """What stands still in a pose, and T_base_block (4, 4) of the block's bottom face."""

    props: Props
    robot: Robot
    surfaces: dict[str, Surface]
    T_base_block: np.ndarray

    def with_robot(self, joints: np.ndarray) -> Set:
        """All of it, with the robot at joints (9,)."""
        return self.props.stage(self.robot, joints, self.surfaces)


def build(name: str, pose: int, layout: Layout, robot: Robot, studio: Studio) -> Stage:
    """The stage of pose `pose` of the set `name`; its meshes and pictures are made known to the studio."""
    props = Props(studio, f"{name}/{pose}")
    rest = at(layout.x_m, layout.y_m, 0.0, layout.yaw_rad)
    if name == "field":
        points = outdoors.grow(props, draws(name, pose, "ground"), pose, layout)
        rest = settled(points, layout)
    else:
        indoors.furnish(props, draws(name, pose, "room"))
        if name == "adv":
            clutter.strew(props, name, pose, layout, robot)
    middle = rest.copy()
    middle[:3, 3] += layout.size_m[2] / 2 * rest[:3, 2]
    rng = draws(name, pose, "block look")
    mesh = rounded_box(layout.size_m, float(rng.uniform(0.0006, 0.0025)))
    props.put(mesh, middle, _block_surface(rng, props), BLOCK)
    return Stage(props, robot, robot_surfaces(draws(name, pose, "robot")), rest)


def settled(points: np.ndarray, layout: Layout) -> np.ndarray:
    """T_base_block (4, 4) of a block that lies on the ground's points (N, 3) under it.

    It rests on the facet of their upper hull below its centre: three points that carry it, none above its bottom.
    Where that facet is steeper than MOST_TILT_RAD, the block has pressed its highest stones into the ground.
    """
    centre = np.array((layout.x_m, layout.y_m))
    hull = ConvexHull(points)
    facets = hull.equations[hull.equations[:, 2] > 1e-6]
    heights = -(facets[:, :2] @ centre + facets[:, 3]) / facets[:, 2]
    normal = facets[heights.argmin(), :3]
    height = heights.min()
    steep = np.arctan2(np.hypot(*normal[:2]), normal[2])
    if steep > MOST_TILT_RAD:
        flat = normal[:2] / np.hypot(*normal[:2]) * np.sin(MOST_TILT_RAD)
        normal = np.append(flat, np.cos(MOST_TILT_RAD))
    z = normal / np.linalg.norm(normal)
    x = np.array((np.cos(layout.yaw_rad), np.sin(layout.yaw_rad), 0.0))
    x -= (x @ z) * z
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    pose[:3, 3] = (*centre, height)
    return pose


def _block_surface(rng: np.random.Generator, props: Props) -> Surface:
    """Bare or painted wood, plastic, metal, cardboard, stone."""
    kind = rng.random()
    if kind < 0.30:
        return Surface((1, 1, 1), props.picture(patterns.wood(rng)), rng.uniform(3, 8), 0.6, box=True)
    if kind < 0.60:
        rgb = tuple(float(value) for value in rng.uniform(0.05, 0.9, 3))
        return Surface(
            (1, 1, 1), props.picture(patterns.painted(rng, rgb)), 4.0, rng.uniform(0.3, 0.7), box=True
        )
    if kind < 0.80:
        return Surface(linear(rng.uniform(0.03, 0.95, 3)), roughness=rng.uniform(0.15, 0.5), coat=0.2)
    if kind < 0.88:
        image = props.picture(patterns.brushed(rng, rng.uniform(0.5, 0.8)))
        return Surface((1, 1, 1), image, 6.0, rng.uniform(0.3, 0.45), metallic=1.0, box=True)
    if kind < 0.95:
        return Surface((1, 1, 1), props.picture(patterns.cardboard(rng)), 4.0, 0.9, specular=0.2, box=True)
    return Surface(
        (1, 1, 1), props.picture(patterns.concrete(rng, rng.uniform(0.4, 0.7))), 5.0, 0.9, box=True
    )
