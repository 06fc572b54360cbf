"""Scenes made by hand, whose geometry tests know."""

from dataclasses import replace

import numpy as np

from perception.camera import Camera
from sim.robots import load_robot
from sim.scene import (
    DISTRACTOR,
    ROOM,
    SUPPORT,
    Block,
    Body,
    Environment,
    Light,
    Material,
    Scene,
    Texture,
    View,
)

GREY = Material((0.6, 0.6, 0.6))
BLACK, WHITE, RED = (
    Material(rgb, roughness=1.0, specular=0.0) for rgb in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.9, 0.1, 0.05))
)
SUN = Light("directional", (0.5, 0.3, 0.812), intensity=0.6)
EVEN = Environment(ambient=1.0, sky=(1.0, 1.0, 1.0), ground=(1.0, 1.0, 1.0))


def pose(x: float, y: float, z: float, yaw_rad: float = 0.0, tilt_rad: float = 0.0) -> np.ndarray:
    """(4, 4) pose turned by yaw about z after a tilt about x."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array([(cos, -sin, 0.0), (sin, cos, 0.0), (0.0, 0.0, 1.0)])
    cos, sin = np.cos(tilt_rad), np.sin(tilt_rad)
    made = np.eye(4)
    made[:3, :3] = turn @ np.array([(1.0, 0.0, 0.0), (0.0, cos, -sin), (0.0, sin, cos)])
    made[:3, 3] = x, y, z
    return made


def camera(eye=(1.3, 0.75, 0.85), target=(0.38, 0.02, 0.2), focal_px=290.0, size=(320, 240), roll_rad=0.05) -> Camera:
    return Camera.looking_at(eye, target, focal_px, *size, roll_rad)


def table(**changes) -> Scene:
    """A robot and a block on a grey table, with nothing around it."""
    description = load_robot("panda")
    scene = Scene(
        seed=0,
        index=0,
        robot="panda",
        joints=np.array(description.home),
        robot_materials=(Material((0.9, 0.9, 0.9)), Material((0.2, 0.2, 0.2))),
        block=Block((0.09, 0.04, 0.045), 0.5, 0.08, 0.6, RED),
        bodies=(Body("plane", pose(0.4, 0.0, 0.0), GREY, SUPPORT, (2.4, 2.4, 1.0)),),
        lights=(SUN,),
        environment=Environment(),
        views=(View(camera()), View(camera(eye=(0.2, -1.2, 0.7)))),
    )
    return replace(scene, **changes)


def cluttered() -> Scene:
    """The table with distractors of every primitive shape, some of them in front of others, and a wall."""
    scene = table()
    shapes = [
        ("sphere", pose(0.45, 0.32, 0.05), (0.1, 0.1, 0.1), (0.2, 0.3, 0.9)),
        ("cylinder", pose(0.66, -0.16, 0.06), (0.07, 0.07, 0.12), (0.2, 0.8, 0.3)),
        ("cone", pose(0.62, 0.2, 0.05), (0.09, 0.09, 0.1), (0.9, 0.8, 0.2)),
        ("box", pose(0.56, 0.18, 0.025, 0.9), (0.1, 0.05, 0.05), (0.8, 0.2, 0.7)),
        ("box", pose(0.72, 0.05, 0.03, 0.3, 0.2), (0.05, 0.05, 0.05), (0.3, 0.7, 0.8)),
    ]
    distractors = [
        Body(mesh, place, Material(rgb), DISTRACTOR + number, scale)
        for number, (mesh, place, scale, rgb) in enumerate(shapes)
    ]
    wall = Body("plane", pose(-0.8, 0.0, 0.5) @ pose(0, 0, 0, np.pi / 2, np.pi / 2), GREY, ROOM, (3.0, 1.6, 1.0))
    return replace(scene, bodies=(*scene.bodies, wall, *distractors))


def textured() -> Scene:
    """The cluttered table with textures, several lights and something behind it all."""
    scene = cluttered()
    bodies = tuple(
        replace(body, material=replace(body.material, texture=Texture("checker", number), repeats=1.0 + number))
        for number, body in enumerate(scene.bodies)
    )
    lights = (
        SUN,
        Light("point", (0.8, -0.9, 1.2), (1.0, 0.8, 0.6), 0.3, 0.05),
        Light("area", (-0.3, 0.9, 1.4), (0.7, 0.8, 1.0), 0.3, 0.3),
    )
    return replace(scene, bodies=bodies, lights=lights, environment=Environment(0.3, backdrop=Texture("noise", 3)))


HAND_MADE = {"table": table, "cluttered": cluttered, "textured": textured}
