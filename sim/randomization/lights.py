"""Lamps, and the light from all around."""

import numpy as np

from sim.random_streams import stream
from sim.randomization.config import LightRanges, RandomizationConfig
from sim.randomization.draws import colour, count_within, happens, one_of, within
from sim.randomization.surfaces import hue, natural_seed, surface
from sim.scene import Colour, Environment, Light, Texture

BACKDROP_UNIT_M = 1.0


def sample_lights(
    seed: int, index: int, config: RandomizationConfig, target_m: np.ndarray
) -> tuple[Light, ...]:
    """The lamps around target_m (3,)."""
    rng = stream(seed, index, "light")
    count = count_within(rng, config.light.count)
    return tuple(_lamp(rng, config.light, target_m, is_key=number == 0) for number in range(count))


def _lamp(rng: np.random.Generator, ranges: LightRanges, target_m: np.ndarray, is_key: bool) -> Light:
    kind = one_of(rng, ranges.kinds)
    azimuth, elevation = np.radians((within(rng, ranges.azimuth_deg), within(rng, ranges.elevation_deg)))
    way = np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    distance = within(rng, ranges.distance_m)
    key, fill = within(rng, ranges.key_brightness), within(rng, ranges.fill_brightness)
    white, coloured = warm(within(rng, ranges.warmth)), hue(rng, 0.6)
    rgb = coloured if happens(rng, ranges.coloured_share) and not is_key else white
    shadow = happens(rng, ranges.shadow_share)
    radii = {
        "directional": float(np.radians(within(rng, ranges.sun_radius_deg))),
        "point": within(rng, ranges.ball_radius_m),
        "area": within(rng, ranges.disc_radius_m),
    }
    brightness = key if is_key else fill
    if kind == "directional":
        return Light("directional", _triple(way), rgb, brightness, radii[kind], shadow)
    place = _triple(target_m + distance * way)
    return Light(
        "area" if kind == "area" else "point", place, rgb, brightness * distance**2, radii[kind], shadow
    )


def sample_environment(seed: int, index: int, config: RandomizationConfig) -> Environment:
    """The light from all around and what is far behind."""
    rng, ranges = stream(seed, index, "environment"), config.light
    ambient, sky = within(rng, ranges.ambient), warm(within(rng, ranges.sky_warmth))
    below = within(rng, ranges.ground_brightness)
    backed = happens(rng, config.room.backdrop_share)
    material = surface(rng, config.room.look, BACKDROP_UNIT_M, config.textures, config.pictures)
    plain = Texture("gradient", natural_seed(rng.random(), config.textures))
    backdrop = (material.texture or plain) if backed else None
    return Environment(ambient, sky, colour(*(below * np.array(sky))), backdrop)


def warm(warmth: float) -> Colour:
    """The colour of a lamp: white at 0, towards orange above, towards blue below."""
    if warmth >= 0:
        return colour(1.0, 1 - 0.25 * warmth, 1 - 0.6 * warmth)
    return colour(1 + 0.4 * warmth, 1 + 0.15 * warmth, 1.0)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
