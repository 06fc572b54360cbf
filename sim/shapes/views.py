"""Views of one thing by itself, its look, light and background drawn at random."""

import numpy as np

from perception.camera import Camera
from sim.meshes import load_mesh
from sim.random_streams import stream
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import colour
from sim.randomization.lights import sample_environment, sample_lights
from sim.randomization.presets import preset
from sim.randomization.surfaces import surface
from sim.robots import load_robot
from sim.scene import BLOCK, DISTRACTOR, ROBOT, Block, Body, Environment, Scene, View

RADIUS_M = 0.25
"""Of the ball around the middle of its bounding box that a thing is scaled to."""
ELEVATION_RAD = (-0.10, 0.85)
TANGENT = (0.20, 0.45)
"""Of half the angle of view: from long lenses to those of phones."""
FILL = (0.62, 0.95)
"""Diameter of the ball over the picture's side."""
SHIFT = 0.06  # of the ball's middle from the picture's, of its side
PLAIN_SHARE = 0.25  # pictures on one plain colour, often white, as catalogues have them
WHITE_SHARE = 0.6  # of these


def view_of(mesh: str, seed: int, index: int, size_px: int) -> Scene:
    """A scene with the mesh of that name alone, z up, seen from a random side; of (seed, index) alone."""
    rng = stream(seed, index, f"view {mesh}")
    vertices = load_mesh(mesh).vertices.astype(np.float64)
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    scale = RADIUS_M / float(np.linalg.norm(vertices - middle, axis=1).max())
    pose = np.eye(4)
    pose[:3, 3] = -scale * middle
    config = preset("train")
    paint = surface(rng, config.distractors.look, 2 * RADIUS_M / scale, config.textures)
    description = load_robot("panda")
    return Scene(
        seed=seed,
        index=index,
        robot=description.name,
        joints=description.home,
        robot_materials=(paint,),
        block=Block((0.1, 0.05, 0.05), 0.0, 0.0, 0.0, paint),
        bodies=(Body(mesh, pose, paint, DISTRACTOR, (scale,) * 3),),
        lights=sample_lights(seed, index, config, np.zeros(3)),
        environment=_environment(rng, seed, index, config),
        views=(View(_camera(rng, size_px)),),
        absent=(ROBOT, BLOCK),
    )


def _camera(rng: np.random.Generator, size_px: int) -> Camera:
    azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(*ELEVATION_RAD)
    tangent = rng.uniform(*TANGENT)
    focal = size_px / 2 / tangent
    distance = RADIUS_M / (tangent * rng.uniform(*FILL))
    way = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    target = rng.uniform(-SHIFT, SHIFT, 3) * 2 * distance * tangent
    return Camera.looking_at(target + distance * way, target, focal, size_px, size_px)


def _environment(rng: np.random.Generator, seed: int, index: int, config: RandomizationConfig) -> Environment:
    found = sample_environment(seed, index, config)
    plain, white, rgb = rng.random(), rng.random(), colour(*rng.uniform(0.1, 1.0, 3))
    if plain >= PLAIN_SHARE:
        return found
    return Environment(found.ambient, (1.0, 1.0, 1.0) if white < WHITE_SHARE else rgb, found.ground)
