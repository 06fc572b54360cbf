"""Everything that a scene shows, as a flat list of bodies: what a renderer draws."""

from sim.robots import RobotDescription, load_robot
from sim.scene import ROBOT, Body, Scene


def bodies(scene: Scene, description: RobotDescription | None = None) -> list[Body]:
    """Support, room and distractors, then the block, then the parts of the robot where its joints put them; without
    what is absent."""
    description = description or load_robot(scene.robot)
    poses = description.robot.link_poses(scene.joints)
    paints = scene.robot_materials
    by_part = len(paints) == len(description.parts)
    parts = [
        Body(part.mesh, poses[part.link], paints[i if by_part else min(part.tone, len(paints) - 1)], ROBOT)
        for i, part in enumerate(description.parts)
    ]
    return [body for body in (*scene.bodies, scene.block.body, *parts) if body.label not in scene.absent]
