"""A picture of a robot at home, with its frames, its keypoints and where blocks may lie."""

from collections.abc import Iterable

import cv2
import numpy as np

from perception.camera import Camera
from sim.renderers import Renderer, Shot
from sim.robots import RobotDescription
from sim.scene import SUPPORT, Block, Body, Environment, Light, Material, Scene, View

SIZE = (800, 600)
AXIS_M = 0.12
OVERVIEW, CLOSE_UP, WORKSPACE = (255, 120, 0), (0, 150, 255), (60, 140, 60)
AXES = ((225, 40, 40), (40, 170, 40), (50, 80, 235))
BLOCK_M = (0.09, 0.04, 0.045)


def portrait(description: RobotDescription, renderer: Renderer, azimuth_rad: float = -0.9) -> np.ndarray:
    """(600, 800, 3) uint8 RGB: frames of base and clamp, keypoints of the overview and of close-ups, the workspace."""
    camera = _camera(description, azimuth_rad)
    scene = _scene(description, camera)
    image = renderer.render(scene, [Shot.whole(camera, oversampling=2.0)])[0].rgb.copy()
    poses = description.robot.link_poses(description.home)
    for ring in _workspace(description):
        _line(image, camera, ring, WORKSPACE)
    for link in (description.robot.base, "clamp"):
        origin = poses[link][:3, 3]
        for axis, colour in enumerate(AXES):
            _line(image, camera, np.stack([origin, origin + AXIS_M * poses[link][:3, axis]]), colour, 2)
    named = {keypoint.name for keypoint in description.overview}
    for keypoint in description.overview:
        _mark(image, camera, description.robot.points(description.home, keypoint.places), keypoint.name, OVERVIEW)
    for keypoint in description.close_up:
        if keypoint.name not in named:
            places = description.robot.points(description.home, keypoint.places)
            _mark(image, camera, places, keypoint.name, CLOSE_UP)
    return image


def _camera(description: RobotDescription, azimuth_rad: float) -> Camera:
    height = max(pose[2, 3] for pose in description.robot.link_poses(description.home).values())
    target = np.array([*description.camera_target_m[:2], height / 2])
    distance, elevation = 2.2 * max(description.span_m, height), np.radians(22)
    way = np.array(
        [np.cos(azimuth_rad) * np.cos(elevation), np.sin(azimuth_rad) * np.cos(elevation), np.sin(elevation)]
    )
    return Camera.looking_at(target + distance * way, target, 1.95 * SIZE[1], *SIZE)


def _scene(description: RobotDescription, camera: Camera) -> Scene:
    reach, side = np.mean(description.reach_m), np.array([np.cos(0.6), np.sin(0.6)])
    x, y = (float(value) for value in reach * side)
    support = Body("plane", np.eye(4), Material((0.86, 0.87, 0.88), roughness=0.9), SUPPORT, (4.0, 4.0, 1.0))
    direction = np.array([0.35, -0.45, 0.82])
    return Scene(
        seed=0,
        index=0,
        robot=description.name,
        joints=description.home,
        robot_materials=tuple(Material(tone, roughness=0.5) for tone in description.tones),
        block=Block(BLOCK_M, x, y, 0.9, Material((0.75, 0.25, 0.2))),
        bodies=(support,),
        lights=(Light("directional", tuple(direction / np.linalg.norm(direction)), intensity=0.5, radius=0.06),),
        environment=Environment(ambient=0.4),
        views=(View(camera),),
    )


def _workspace(description: RobotDescription) -> Iterable[np.ndarray]:
    """Arcs (N, 3) of reach_m on the support, as far as they lie in the ranges of x and y."""
    angles = np.linspace(-np.pi, np.pi, 721)
    (x0, x1), (y0, y1) = description.workspace_x_m, description.workspace_y_m
    for radius in description.reach_m:
        x, y = radius * np.cos(angles), radius * np.sin(angles)
        inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        yield np.stack([x, y, np.zeros_like(x)], axis=1)[inside]


def _line(image: np.ndarray, camera: Camera, points: np.ndarray, colour: tuple[int, int, int], width: int = 1) -> None:
    pixels = camera.project(points)[0].round().astype(np.int32)
    cv2.polylines(image, [pixels.reshape(-1, 1, 2)], False, colour, width, cv2.LINE_AA)


def _mark(image: np.ndarray, camera: Camera, places: np.ndarray, name: str, colour: tuple[int, int, int]) -> None:
    pixels = camera.project(places)[0].round().astype(int)
    for u, v in pixels.tolist():
        cv2.circle(image, (u, v), 4, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(image, (u, v), 3, colour, -1, cv2.LINE_AA)
    corner = (int(pixels[0, 0]) + 7, int(pixels[0, 1]) - 4)
    for shade, width in (((255, 255, 255), 3), (tuple(value // 2 for value in colour), 1)):
        cv2.putText(image, name, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.42, shade, width, cv2.LINE_AA)
