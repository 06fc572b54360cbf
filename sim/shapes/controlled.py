"""Views of one thing by itself with every property set, so that what two pictures differ by is known exactly.

As the controlled renders of Aubry and Russell, "Understanding deep features with computer-generated imagery", ICCV
2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from perception.camera import Camera
from sim.meshes import load_mesh
from sim.renderers import Renderer, Shot
from sim.robots import load_robot
from sim.scene import BLOCK, DISTRACTOR, ROBOT, Block, Body, Colour, Environment, Light, Material, Scene, View

RADIUS_M = 0.25
"""Of the ball around the middle of its bounding box that a thing is scaled to."""
TANGENT = 0.25
"""Of half the angle of view of a picture that the ball fills."""
LIGHT_HEIGHT_RAD = 0.9
KEY, FILL_IN = 0.55, 0.16  # intensities; of the light that is turned, and of each of those that stay
_STAY = ((0.0, 0.0, 1.0), (0.8, 0.6, 0.0), (-0.8, 0.6, 0.0), (0.0, -1.0, 0.0))  # unit vectors to lights
OVERSAMPLED = 2
BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Look:
    """All that a picture of a thing depends on but the thing. Angles in rad; colours sRGB in [0, 1].

    shift: of the thing's middle from the picture's, to the right and down, of its side. fill: diameter of the ball over
    the picture's side. light_rad: azimuth of the light, from the camera's.
    """

    azimuth_rad: float = 0.6
    elevation_rad: float = 0.35
    in_plane_rad: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    fill: float = 0.8
    foreground: Colour = (0.6, 0.6, 0.6)
    background: Colour = WHITE
    light_rad: float = 0.7


def controlled(mesh: str, look: Look, size_px: int) -> tuple[Scene, Shot]:
    """The scene of the mesh of that name, z up, and the shot that shows it so, `OVERSAMPLED` size_px a side.

    The background lights nothing: a colour behind the thing changes the picture there alone.
    """
    vertices = load_mesh(mesh).vertices.astype(np.float64)
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    scale = RADIUS_M / float(np.linalg.norm(vertices - middle, axis=1).max())
    pose = np.eye(4)
    pose[:3, 3] = -scale * middle
    side = OVERSAMPLED * size_px
    camera = _camera(look, side)
    window = side / look.fill
    u0, v0 = (side / 2 - window * (0.5 + shift) for shift in look.shift)
    paint = Material(look.foreground, roughness=0.7, specular=0.3)
    description = load_robot("panda")
    scene = Scene(
        seed=0,
        index=0,
        robot=description.name,
        joints=description.home,
        robot_materials=(paint,),
        block=Block((0.1, 0.05, 0.05), 0.0, 0.0, 0.0, paint),
        bodies=(Body(mesh, pose, paint, DISTRACTOR, (scale,) * 3),),
        lights=(
            Light("directional", _way(look.azimuth_rad + look.light_rad, LIGHT_HEIGHT_RAD), intensity=KEY, radius=0.05),
            *(Light("directional", vector, intensity=FILL_IN, shadow=False) for vector in _STAY),
        ),
        environment=Environment(ambient=0.0, sky=look.background),
        views=(View(camera),),
        absent=(ROBOT, BLOCK),
    )
    return scene, Shot(camera, u0, v0, u0 + window, v0 + window, side, side, oversampling=1.0)


def picture(renderer: Renderer, mesh: str, look: Look, size_px: int) -> np.ndarray:
    """(size_px, size_px, 3) uint8 RGB of the mesh."""
    scene, shot = controlled(mesh, look, size_px)
    return _smaller(renderer.render(scene, [shot])[0].rgb, size_px)


def cut_out(renderer: Renderer, mesh: str, look: Look, size_px: int) -> np.ndarray:
    """(size_px, size_px, 4) uint8: the same, of any background, with what of each pixel the thing covers as its fourth
    channel; colours are multiplied by it."""
    dark, light = (picture(renderer, mesh, replace(look, background=one), size_px) for one in (BLACK, WHITE))
    # What is behind a pixel shows in the difference alone.
    cover = 255 - (light.astype(np.int16) - dark).mean(axis=2)
    return np.dstack([dark, np.rint(np.clip(cover, 0, 255)).astype(np.uint8)])


def on_background(thing: np.ndarray, behind: np.ndarray | Sequence[int]) -> np.ndarray:
    """(H, W, 3) uint8: what `cut_out` gave before a picture (H, W, 3) or a colour (3,) in [0, 255]."""
    cover = thing[..., 3:].astype(np.float32) / 255
    return np.rint(np.clip(thing[..., :3] + (1 - cover) * np.asarray(behind, np.float32), 0, 255)).astype(np.uint8)


def _camera(look: Look, side: int) -> Camera:
    eye = RADIUS_M / TANGENT * np.asarray(_way(look.azimuth_rad, look.elevation_rad))
    return Camera.looking_at(eye, np.zeros(3), side / 2 / TANGENT, side, side, look.in_plane_rad)


def _way(azimuth: float, elevation: float) -> tuple[float, float, float]:
    cos = np.cos(elevation)
    return float(cos * np.cos(azimuth)), float(cos * np.sin(azimuth)), float(np.sin(elevation))


def _smaller(image: np.ndarray, size_px: int) -> np.ndarray:
    return np.asarray(cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA))
