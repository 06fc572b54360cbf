"""Images by PyBullet's TinyRenderer: software only, no system library, one light.

Its traps, each held by a test:
- Light arguments left out of a call keep their last value, so every call passes all of them.
- A light exactly along +z is degenerate, so it is tilted: see `sim.renderers.tiny_light`.
- Its own shadow map is seen through the camera's frustum, so a crop would have other shadows than the whole picture.
  Shadows are added afterwards: see `sim.renderers.shadow_map`.
- Textures and bodies are never freed: see `sim.renderers.bullet_stage`.
- It takes the sample of pixel i at i where the pinhole has i + 0.5, counted from the left and from the bottom. So
  the frustum is laid such that samples fall where they should: for an odd `oversampling` s, s x s of them in the
  pixel; for an even one (s + 1) x (s + 1), those on the pixel's border with half the weight. Either way one sample
  lies at the pixel's centre, which gives depth and label. A broken `oversampling` is rounded up.
- Texels are sampled nearest, so frames are best oversampled.
- PyBullet's other renderer, the EGL plugin, mixes up textures and ignores all of a light but its direction. It is not
  offered.
"""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import cv2
import numpy as np

from perception.camera import Camera
from sim import textures
from sim.bullet import pybullet
from sim.renderers import Frame, Shot
from sim.renderers.bullet_stage import BulletStage
from sim.renderers.shadow_map import ShadowMap, surface
from sim.renderers.tiny_light import Lighting
from sim.scene import NOTHING, ROBOT, ROOM, SUPPORT, Body, Environment, Scene
from sim.stage import bodies

NEAR_M, FAR_M = 0.05, 12.0
BACKDROP_SIZE = 128
SHADOW_MAP_SIZE = 512
BLACK = np.zeros((1, 1, 3), np.uint8)
AWAY = np.eye(4)  # beyond the far plane of every camera
AWAY[2, 3] = -1000.0


class TinyRenderer:
    """See the module. Not safe across threads. `device` says what decides the bytes."""

    name = "tiny"

    def __init__(self) -> None:
        self.device = f"PyBullet TinyRenderer {version('pybullet')}"
        self._stage = BulletStage()

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`."""
        light = Lighting.of(scene, SHADOW_MAP_SIZE)
        robot_first = sorted(bodies(scene), key=lambda body: body.label != ROBOT)
        shadows = self._shadow_map(robot_first, light)
        labels = self._stage.show(robot_first, light.tint)
        backdrop = _backdrop(scene.environment)
        frames = [self._draw(shot, light, labels, backdrop) for shot in shots]
        if shadows is None:
            return frames
        return [
            replace(frame, rgb=_shaded(frame, shot, light, shadows)) for frame, shot in zip(frames, shots, strict=True)
        ]

    def close(self) -> None:
        """Disconnect from PyBullet. May be called twice."""
        self._stage.close()

    def _shadow_map(self, shown: Sequence[Body], light: Lighting) -> ShadowMap | None:
        """Of all that casts shadows. Support and room do not: a lamp may stand behind a wall."""
        if light.eye is None:
            return None
        casting = [replace(body, pose=AWAY) if body.label in (SUPPORT, ROOM) else body for body in shown]
        labels = self._stage.show(casting, light.tint)
        shot = Shot.whole(light.eye, oversampling=1)
        return ShadowMap(light.eye, self._draw(shot, light, labels, BLACK).depth, light.softness_m)

    def _draw(self, shot: Shot, light: Lighting, labels: np.ndarray, backdrop: np.ndarray) -> Frame:
        """The shot without shadows."""
        samples = Samples(shot)
        _, _, rgba, buffer, numbers = pybullet.getCameraImage(
            samples.width,
            samples.height,
            viewMatrix=view_matrix(shot.camera),
            projectionMatrix=samples.projection_matrix(),
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._stage.client,
            **light.arguments,
        )
        size = (samples.height, samples.width)
        numbers = np.asarray(numbers, np.int32).reshape(size)
        empty = numbers < 0
        rgb = np.asarray(rgba, np.uint8).reshape(*size, 4)[..., :3]
        if empty.any():
            rgb = np.where(empty[..., None], cv2.resize(backdrop, size[::-1]), rgb)
        depth = samples.at_centres(np.asarray(buffer, np.float32).reshape(size))
        nothing = samples.at_centres(empty)
        metres = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * depth)
        return Frame(
            samples.mean(rgb),
            np.where(nothing, np.float32(np.inf), metres.astype(np.float32)),
            np.where(nothing, np.uint8(NOTHING), labels[samples.at_centres(numbers)]),
        )


class Samples:
    """The grid of samples that a shot is drawn with: one at each pixel's centre, and others about it."""

    def __init__(self, shot: Shot) -> None:
        self._shot = shot
        self._per_pixel = int(np.ceil(shot.oversampling))
        even = 1 - self._per_pixel % 2
        self.width, self.height = shot.width * self._per_pixel + even, shot.height * self._per_pixel + even
        self._kernel = np.ones(self._per_pixel + even)
        if even:
            self._kernel[[0, -1]] = 0.5
        self._kernel /= self._per_pixel

    def projection_matrix(self) -> list[float]:
        """OpenGL's projection, column by column, that brings the samples where they belong; see the module."""
        shot, camera = self._shot, self._shot.camera
        across, down = (shot.u1 - shot.u0) / shot.width, (shot.v1 - shot.v0) / shot.height
        first = 0.5 - (self._per_pixel // 2) / self._per_pixel  # px of the shot, the first sample's place
        step = 1 / self._per_pixel
        left = shot.u0 + first * across
        top = shot.v0 + (first - step) * down
        right = left + self.width * step * across
        bottom = top + self.height * step * down
        near = NEAR_M / camera.focal_px
        sides = (
            (left - camera.width / 2) * near,
            (right - camera.width / 2) * near,
            (camera.height / 2 - bottom) * near,
            (camera.height / 2 - top) * near,
        )
        return list(pybullet.computeProjectionMatrix(*sides, NEAR_M, FAR_M))

    def at_centres(self, drawn: np.ndarray) -> np.ndarray:
        """(H, W) of the shot: the samples at the pixels' centres."""
        middle, step = self._per_pixel // 2, self._per_pixel
        return drawn[middle::step, middle::step][: self._shot.height, : self._shot.width]

    def mean(self, drawn: np.ndarray) -> np.ndarray:
        """(H, W, 3) of the shot: the mean over each pixel."""
        if self._per_pixel == 1:
            return np.ascontiguousarray(drawn)
        return np.ascontiguousarray(self.at_centres(cv2.sepFilter2D(drawn, -1, self._kernel, self._kernel)))


def view_matrix(camera: Camera) -> list[float]:
    """OpenGL's view matrix (camera x right, y up, z backward), column by column."""
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    return (flip @ camera.T_camera_base).T.ravel().tolist()


def _backdrop(around: Environment) -> np.ndarray:
    """What fills the picture behind everything."""
    picture = np.full((1, 1, 3), 255) if around.backdrop is None else textures.pixels(around.backdrop, BACKDROP_SIZE)
    return (picture * np.array(around.sky)).astype(np.uint8)


def _shaded(frame: Frame, shot: Shot, light: Lighting, shadows: ShadowMap) -> np.ndarray:
    """The frame's rgb with shadows."""
    camera = shot.camera
    seen = np.isfinite(frame.depth)
    u = shot.u0 + (np.arange(shot.width, dtype=np.float32) + 0.5) * (shot.u1 - shot.u0) / shot.width
    v = shot.v0 + (np.arange(shot.height, dtype=np.float32) + 0.5) * (shot.v1 - shot.v0) / shot.height
    rays = np.ones((shot.height, shot.width, 3), np.float32)
    rays[..., 0] = (u - camera.width / 2) / camera.focal_px
    rays[..., 1] = ((v - camera.height / 2) / camera.focal_px)[:, None]
    points, normals = surface(np.where(seen, frame.depth, np.float32(FAR_M)), rays)
    turn, move = np.float32(camera.T_camera_base[:3, :3]), np.float32(camera.T_camera_base[:3, 3])
    points, normals = (points[seen] - move) @ turn, normals[seen] @ turn
    rgb = frame.rgb.copy()
    rgb[seen] = rgb[seen] * light.shade(shadows.lit(points, normals), normals) + 0.5
    return rgb
