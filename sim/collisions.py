"""Which parts of a scene are inside others, and how deep: robot links, block, distractors, support and room.

What could be moved is taken as its convex hull, links as PyBullet takes their collision meshes, support and room as
they are. On uneven ground a corner that is far below the surface touches none of its triangles, so how far corners
are below it counts too.
"""

from dataclasses import dataclass
from itertools import combinations, product

from sim.physics import Physics
from sim.robots import RobotDescription, load_robot
from sim.scene import DISTRACTOR, SUPPORT, Body, Scene
from sim.settle import stands_level
from sim.solids import Solid

TOLERANCE_MM = 0.5


@dataclass(frozen=True)
class Overlap:
    """Two things, of which one is depth_mm inside the other; links of the robot are called "link NAME"."""

    first: str
    second: str
    depth_mm: float

    def __str__(self) -> str:
        return f"{self.first} and {self.second} are {self.depth_mm:.1f} mm inside each other"


def overlaps(
    scene: Scene, tolerance_mm: float = TOLERANCE_MM, description: RobotDescription | None = None
) -> list[Overlap]:
    """All pairs that are more than tolerance_mm inside each other, the deepest first.

    What the robot stands on the support with does not count, nor do links that a joint connects, parts of the
    gripper, and links that are inside each other in the robot's home posture too: the hulls of their meshes are.
    """
    description = description or load_robot(scene.robot)
    supports = [body for body in scene.bodies if body.label == SUPPORT]
    solids = [Solid.of(scene.block), *(Solid.of(body) for body in scene.bodies if body.label >= DISTRACTOR)]
    physics = Physics(description, supports)
    try:
        physics.place(description.home)
        always = {one[:2] for one in physics.inside_itself()}
        physics.place(scene.joints)
        found = [one for one in physics.inside_itself() if one[:2] not in always]
        things = [physics.add(solid) for solid in solids]
        still = [physics.add_still(body) for body in scene.bodies if SUPPORT < body.label < DISTRACTOR]
        pairs = [*combinations(things, 2), *product(things, (*physics.supports, *still))]
        pairs += [(physics.robot, other) for other in (*things, *physics.supports, *still)]
        for first, second in pairs:
            found += physics.inside(first, second)
    finally:
        physics.close()
    if not stands_level(scene):
        found += _below(solids, supports)
    deepest: dict[tuple[str, str], float] = {}
    for first_name, second_name, depth in found:
        names = (first_name, second_name)
        deepest[names] = max(deepest.get(names, 0.0), 1000 * depth)
    kept = [Overlap(*names, depth) for names, depth in deepest.items() if depth > tolerance_mm]
    return sorted(kept, key=lambda overlap: -overlap.depth_mm)


def _below(solids: list[Solid], supports: list[Body]) -> list[tuple[str, str, float]]:
    """How far, straight down, corners are below uneven ground."""
    physics = Physics(None, supports)
    try:
        found = []
        for solid in solids:
            corners = solid.corners @ solid.pose[:3, :3].T + solid.pose[:3, 3]
            depths = physics.heights(corners[:, :2]) - corners[:, 2]
            found.append((solid.name, "support", float(depths.max())))
        return found
    finally:
        physics.close()
