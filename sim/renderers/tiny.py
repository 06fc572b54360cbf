"""Images by PyBullet's TinyRenderer: software only, no system library, one light with a shadow map.

Its one light is the scene's first; the others, and the environment, light everything evenly. Its highlight has one
width for all materials, so there is none. It multiplies colours as they are displayed, so light is converted to what
gives the right brightness to a grey surface that faces the light, and to one that turns away.

Its traps, each held by a test:
- Light arguments left out of a call keep their last value, so every call passes all of them.
- A light exactly along +z is degenerate, so it is tilted.
- Textures and bodies are never freed: see `sim.renderers.bullet_stage`.
- It takes the sample of pixel i at i where the pinhole has i + 0.5, counted from the left and from the bottom. So
  the frustum is laid such that samples fall where they should: for an odd `oversampling` s, s x s of them in the
  pixel; for an even one (s + 1) x (s + 1), those on the pixel's border with half the weight. Either way one sample
  lies at the pixel's centre, which gives depth and label. A broken `oversampling` is rounded up.
- Texels are sampled nearest, so frames are best oversampled.
- PyBullet's EGL plugin binds wrong textures and ignores most light arguments; it is not used.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from sim import textures
from sim.bullet import pybullet
from sim.renderers import Frame, Shot
from sim.renderers.bullet_stage import BulletStage
from sim.scene import NOTHING, ROBOT, Environment, Light, Scene
from sim.stage import bodies

NEAR_M, FAR_M = 0.05, 12.0
SHADOW_MAP_DISTANCE_M = 3.0
LEAST_LIGHT_TILT = 0.05
GAMMA = 2.2
BACKDROP_SIZE = 256
MEAN_COSINE = 0.25  # of the angle to a light, over all surfaces, zero where they turn away


class TinyRenderer:
    """See the module. Not safe across threads."""

    def __init__(self) -> None:
        self._stage = BulletStage()

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`."""
        tint, arguments = lighting(scene)
        robot_first = sorted(bodies(scene), key=lambda body: body.label != ROBOT)
        labels = self._stage.show(robot_first, tint)
        backdrop = _backdrop(scene.environment)
        return [self._draw(shot, arguments, labels, backdrop) for shot in shots]

    def close(self) -> None:
        """Disconnect from PyBullet. May be called twice."""
        self._stage.close()

    def _draw(self, shot: Shot, light: dict, labels: np.ndarray, backdrop: np.ndarray) -> Frame:
        samples = Samples(shot)
        _, _, rgba, buffer, numbers = pybullet.getCameraImage(
            samples.width,
            samples.height,
            viewMatrix=view_matrix(shot),
            projectionMatrix=samples.projection_matrix(),
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._stage.client,
            **light,
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


def lighting(scene: Scene) -> tuple[np.ndarray, dict]:
    """What to multiply all colours with (3,), and every light argument of getCameraImage.

    Never a part of them: what is left out keeps its last value. The tint carries the colour of the even light, for
    which TinyRenderer has a brightness alone.
    """
    even = _even_light(scene)
    lamp, shadow = np.zeros(3), False
    direction = np.array([0.0, 0.0, 1.0])
    if scene.lights:
        direction, lamp = _reaching(scene.lights[0], scene)
        shadow = scene.lights[0].shadow
    base = np.maximum(_displayed(even), 1e-3)
    tint = base / base.max()
    return tint, {
        "lightDirection": tuple(tilted(direction).tolist()),
        "lightColor": tuple(((_displayed(even + lamp) - base) / tint).clip(0).tolist()),
        "lightDistance": SHADOW_MAP_DISTANCE_M,
        "shadow": int(shadow),
        "lightAmbientCoeff": float(base.max()),
        "lightDiffuseCoeff": 1.0,
        "lightSpecularCoeff": 0.0,
    }


def tilted(direction: np.ndarray) -> np.ndarray:
    """The unit direction (3,), tilted when it is nearly vertical: the shadow camera's up vector is z."""
    direction = np.asarray(direction) / np.linalg.norm(direction)
    if np.hypot(*direction[:2]) >= LEAST_LIGHT_TILT:
        return direction
    aside = np.array([LEAST_LIGHT_TILT, 0.0, np.copysign(1.0, direction[2])])
    return aside / np.linalg.norm(aside)


def view_matrix(shot: Shot) -> list[float]:
    """OpenGL's view matrix (camera x right, y up, z backward), column by column."""
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    return (flip @ shot.camera.T_camera_base).T.ravel().tolist()


def _reaching(light: Light, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Unit direction (3,) to a light from the block, and what of it (3,) arrives there."""
    vector = np.array(light.vector, dtype=float)
    strength = light.intensity * _linear(np.array(light.rgb))
    if light.kind == "directional":
        return vector / np.linalg.norm(vector), strength
    vector -= scene.block.T_base_block[:3, 3]
    distance = max(float(np.linalg.norm(vector)), 0.1)
    return vector / distance, strength / distance**2


def _even_light(scene: Scene) -> np.ndarray:
    """(3,) of the environment and of all lights but the first, averaged over all directions."""
    around = scene.environment
    total = around.ambient * (_linear(np.array(around.sky)) + _linear(np.array(around.ground))) / 2
    for light in scene.lights[1:]:
        total = total + MEAN_COSINE * _reaching(light, scene)[1]
    return total


def _linear(displayed: np.ndarray) -> np.ndarray:
    return displayed**GAMMA


def _displayed(linear: np.ndarray) -> np.ndarray:
    return linear ** (1 / GAMMA)


def _backdrop(around: Environment) -> np.ndarray:
    """What fills the picture behind everything."""
    picture = np.full((1, 1, 3), 255) if around.backdrop is None else textures.pixels(around.backdrop, BACKDROP_SIZE)
    return (picture * np.array(around.sky)).astype(np.uint8)
