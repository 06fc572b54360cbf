"""Lights as the shaders take them: colours in linear units, and the view that each light's shadow map has."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sim.scene import Environment, Light

LIGHTS = 8
KINDS = {"directional": 0, "point": 1, "area": 2}
MAP_SIZE = 512
WIDEST_RAD = np.radians(70)  # half the opening of the map of a lamp that stands among the bodies
NEAREST_M = 0.05
MARGIN = 1.1  # the border of a map stays empty, as wide as the widest penumbra, so that none reaches the next map
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


def linear(rgb: ArrayLike) -> np.ndarray:
    """Linear light of sRGB colours in [0, 1], of any shape (IEC 61966-2-1)."""
    values = np.asarray(rgb, np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lamp_block(lights: Sequence[Light], environment: Environment, backdrop: int) -> np.ndarray:
    """The uniform block () of LAMPS without the shadow maps' part; `backdrop` is the layer of its texture or -1."""
    data = np.zeros((), LAMPS)
    for lamp, light in zip(data["lights"], lights, strict=False):
        vector = np.asarray(light.vector, np.float64)
        unit = vector / max(float(np.linalg.norm(vector)), 1e-9)
        lamp["vector"] = *(unit if light.kind == "directional" else vector), KINDS[light.kind]
        lamp["colour"] = *(light.intensity * linear(light.rgb)), light.radius
        lamp["axis"][:3] = -unit
    data["sky"][:3] = environment.ambient * linear(environment.sky)
    data["ground"] = *(environment.ambient * linear(environment.ground)), backdrop
    data["behind"][:3] = linear(environment.sky)
    return data


def shadow_view(light: Light, centres: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, tuple[float, float, float]]:
    """What a shadow map shows: all that casts shadows, given by balls about the bodies: centres (N, 3), radii (N,) m.

    Returns clip coordinates from the base frame (4, 4), and the size of a texel (at a distance of 1 m unless the
    light is directional), near and far in m along the map's axis.
    """
    vector = np.asarray(light.vector, np.float64)
    pose, lens = np.eye(4), np.eye(4)
    if light.kind == "directional":
        pose[:3, :3] = _turned_to(-vector)
        seen = centres @ pose[:3, :3].T
        low, high = (seen - radii[:, None]).min(axis=0), (seen + radii[:, None]).max(axis=0)
        pose[:3, 3] = -(low + high) / 2
        half = MARGIN * max((high - low)[:2].max() / 2, NEAREST_M)
        depth = max((high - low)[2] / 2, NEAREST_M)
        lens[:3, :3] = np.diag([1 / half, 1 / half, 1 / depth])
        return lens @ pose, (2 * half / MAP_SIZE, -depth, depth)
    pose[:3, :3] = _turned_to((centres.min(axis=0) + centres.max(axis=0)) / 2 - vector)
    pose[:3, 3] = -pose[:3, :3] @ vector
    seen = centres @ pose[:3, :3].T + pose[:3, 3]
    distances = np.maximum(np.linalg.norm(seen, axis=1), 1e-9)
    angles = np.arccos(np.clip(seen[:, 2] / distances, -1, 1)) + np.arcsin(np.clip(radii / distances, 0, 1))
    tangent = MARGIN * np.tan(min(angles.max(), WIDEST_RAD))
    near = max((seen[:, 2] - radii).min(), NEAREST_M)
    far = max((seen[:, 2] + radii).max(), 2 * near)
    lens[0, 0] = lens[1, 1] = 1 / tangent
    lens[2, 2:] = (far + near) / (far - near), -2 * far * near / (far - near)
    lens[3, 2:] = 1.0, 0.0
    return lens @ pose, (2 * tangent / MAP_SIZE, near, far)


def _turned_to(forward: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) to a frame whose z runs along `forward`; down where that is no direction."""
    length = np.linalg.norm(forward)
    forward = forward / length if length > 1e-9 else np.array([0.0, 0.0, -1.0])
    aside = np.cross(forward, (1.0, 0.0, 0.0) if abs(forward[0]) < 0.7 else (0.0, 1.0, 0.0))
    aside /= np.linalg.norm(aside)
    return np.stack([aside, np.cross(forward, aside), forward])
