"""The light of a scene as TinyRenderer can have it: one lamp, and an even light from everywhere.

The lamp is the scene's first light; the others, and the environment, light everything evenly. Colours are multiplied
as they are displayed, so light is converted to what gives the right brightness to a grey surface that faces the lamp,
and to one that turns away. The highlight has one width for all materials, so there is none.
"""

from dataclasses import dataclass

import numpy as np

from perception.camera import Camera
from sim.scene import Light, Scene

LIGHT_DISTANCE_M = 3.0
LEAST_LIGHT_TILT = 0.05
GAMMA = 2.2
MEAN_COSINE = 0.25  # of the angle to a light, over all surfaces, zero where they turn away
SHADOWED_RADIUS_M = 1.2  # about the block and the robot's base
SUN_DISTANCE_M = 8.0
MOST_HALF_ANGLE = np.radians(60)
TYPICAL_GAP_M = 0.15  # between what casts a shadow and where it falls


@dataclass(frozen=True, eq=False)
class Lighting:
    """even, lamp (3,): what they give a white surface, as displayed; the lamp one that faces it, on top of the
    even light. direction (3,): unit, to the lamp. `eye`: the camera at the lamp that sees what it
    lights, None where it casts no shadow; softness_m: radius of a shadow's edge."""

    even: np.ndarray
    lamp: np.ndarray
    direction: np.ndarray
    eye: Camera | None
    softness_m: float

    @classmethod
    def of(cls, scene: Scene, map_size: int) -> "Lighting":
        """The scene's, for a shadow map of map_size x map_size."""
        even = _even_light(scene)
        base = np.maximum(_displayed(even), 1e-3)
        if not scene.lights:
            return cls(base, np.zeros(3), tilted(np.array([0.0, 0.0, 1.0])), None, 0.0)
        first = scene.lights[0]
        direction, strength = _reaching(first, scene)
        lamp = (_displayed(even + strength) - base).clip(0)
        eye, softness = _eye(first, scene, map_size) if first.shadow else (None, 0.0)
        return cls(base, lamp, tilted(direction), eye, softness)

    @property
    def tint(self) -> np.ndarray:
        """(3,) to multiply all colours with: the colour of the even light, which TinyRenderer takes as white."""
        return self.even / self.even.max()

    @property
    def arguments(self) -> dict:
        """Every light argument of getCameraImage, never a part of them: what is left out keeps its last value."""
        return {
            "lightDirection": tuple(self.direction.tolist()),
            "lightColor": tuple((self.lamp / self.tint).tolist()),
            "lightDistance": LIGHT_DISTANCE_M,
            "shadow": 0,
            "lightAmbientCoeff": float(self.even.max()),
            "lightDiffuseCoeff": 1.0,
            "lightSpecularCoeff": 0.0,
        }

    def shade(self, lit: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(..., 3) what to multiply pixels with where the share lit (...) of the lamp's light reaches surfaces of
        unit normals (..., 3)."""
        facing = np.maximum(normals @ self.direction.astype(np.float32), 0)[..., None] * np.float32(self.lamp)
        even = np.float32(self.even)
        return (even + lit[..., None] * facing) / (even + facing)


def tilted(direction: np.ndarray) -> np.ndarray:
    """The unit direction (3,), tilted when it is nearly vertical: the shadow camera's up vector is z."""
    direction = np.asarray(direction) / np.linalg.norm(direction)
    if np.hypot(*direction[:2]) >= LEAST_LIGHT_TILT:
        return direction
    aside = np.array([LEAST_LIGHT_TILT, 0.0, np.copysign(1.0, direction[2])])
    return aside / np.linalg.norm(aside)


def _reaching(light: Light, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Direction (3,) to a light from the block, and what of it (3,) arrives there."""
    vector = np.array(light.vector, dtype=float)
    strength = light.intensity * _linear(np.array(light.rgb))
    if light.kind == "directional":
        return vector / np.linalg.norm(vector), strength
    vector -= scene.block.T_base_block[:3, 3]
    distance = max(float(np.linalg.norm(vector)), 0.1)
    return vector / distance, strength / distance**2


def _eye(light: Light, scene: Scene, size: int) -> tuple[Camera, float]:
    """The camera at the lamp's place, and the radius in metres of the edge of a typical shadow."""
    block = scene.block.T_base_block[:3, 3]
    centre = block / 2 + (0.0, 0.0, 0.25)
    vector = np.array(light.vector, dtype=float)
    if light.kind == "directional":
        place, softness = centre + SUN_DISTANCE_M * tilted(vector), TYPICAL_GAP_M * np.tan(light.radius)
    else:
        aside = vector - centre
        place = centre + max(float(np.linalg.norm(aside)), 0.1) * tilted(aside)
        softness = TYPICAL_GAP_M * light.radius / float(np.linalg.norm(place - block))
    distance = float(np.linalg.norm(place - centre))
    half = min(np.arcsin(min(SHADOWED_RADIUS_M / distance, 1.0)), MOST_HALF_ANGLE)
    return Camera.looking_at(place, centre, size / 2 / np.tan(half), size, size), float(softness)


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
