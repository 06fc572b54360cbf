"""Lights as the shaders take them: colours in linear units, and the view that each light's shadow map has."""

from collections.abc import Sequence

import numpy as np

from sim.scene import Colour, Environment, Light

LIGHTS = 8
KINDS = {"directional": 0, "point": 1, "area": 2}
MAP_SIZE = 512
WIDEST_RAD = np.radians(70)  # half the opening of the map of a lamp that stands among the bodies
LAMP = np.dtype(
    [
        ("map_from_base", "f4", (4, 4)),
        ("vector", "f4", 4),
        ("colour", "f4", 4),
        ("axis", "f4", 4),
        ("map", "f4", 4),
    ]
)
LAMPS = np.dtype([("lights", LAMP, LIGHTS), ("sky", "f4", 4), ("ground", "f4", 4), ("behind", "f4", 4)])


def linear(rgb: Colour) -> np.ndarray:
    """Linear light (3,) of an sRGB colour (IEC 61966-2-1)."""
    values = np.asarray(rgb, np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def block(lights: Sequence[Light], environment: Environment, backdrop: int, casters: np.ndarray) -> np.ndarray:
    """The uniform block () of LAMPS. casters (4,): centre and radius in m of a ball about all that casts shadows.

    Raises ValueError for more lights than the shaders take.
    """
    if len(lights) > LIGHTS:
        raise ValueError(f"a scene of {len(lights)} lights is too much for this renderer; give it at most {LIGHTS}.")
    data = np.zeros((), LAMPS)
    for lamp, light in zip(data["lights"], lights, strict=False):
        vector = np.asarray(light.vector, np.float64)
        if light.kind == "directional":
            vector = vector / np.linalg.norm(vector)
        lamp["vector"] = *vector, KINDS[light.kind]
        lamp["colour"] = *(light.intensity * linear(light.rgb)), light.radius
        lamp["axis"][:3] = -vector / max(float(np.linalg.norm(vector)), 1e-9)
        if light.shadow:
            view, texel, near, far = shadow_view(light, casters)
            lamp["map_from_base"] = view.T  # columns, as GLSL wants them
            lamp["map"] = 1.0, texel, near, far
    data["sky"] = *(environment.ambient * linear(environment.sky)), len(lights)
    data["ground"] = *(environment.ambient * linear(environment.ground)), backdrop
    data["behind"][:3] = linear(environment.sky)
    return data


def shadow_view(light: Light, casters: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """(4, 4) from the base frame to clip coordinates, size in m of a texel (at a distance of 1 m unless directional),
    near and far in m."""
    vector, centre, radius = np.asarray(light.vector, np.float64), casters[:3], float(casters[3])
    if light.kind == "directional":
        rotation = _turned_to(-vector / np.linalg.norm(vector))
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation, -rotation @ centre
        scale = np.diag([1 / radius, 1 / radius, 1 / radius, 1.0])
        return scale @ pose, 2 * radius / MAP_SIZE, -radius, radius
    distance = float(np.linalg.norm(centre - vector))
    half = np.arcsin(radius / distance) if distance > radius else WIDEST_RAD
    half = min(half, WIDEST_RAD)
    near = max(distance - radius, 0.02)
    far = distance + radius
    rotation = _turned_to((centre - vector) / distance) if distance > 1e-6 else _turned_to(np.array([0.0, 0, -1]))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ vector
    tangent = np.tan(half)
    lens = np.zeros((4, 4))
    lens[0, 0] = lens[1, 1] = 1 / tangent
    lens[2, 2], lens[2, 3] = (far + near) / (far - near), -2 * far * near / (far - near)
    lens[3, 2] = 1.0
    return lens @ pose, 2 * tangent / MAP_SIZE, near, far


def _turned_to(forward: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) to a frame whose z runs along `forward`."""
    aside = np.cross(forward, (1.0, 0.0, 0.0) if abs(forward[0]) < 0.7 else (0.0, 1.0, 0.0))
    aside /= np.linalg.norm(aside)
    return np.stack([aside, np.cross(forward, aside), forward])
