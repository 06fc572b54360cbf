"""Materials: of any surface, and of a robot's paint."""

import colorsys
from dataclasses import replace
from functools import lru_cache

import numpy as np

from sim import textures
from sim.randomization.config import LookRanges, PictureRanges, RobotRanges
from sim.randomization.draws import colour, happens, one_of, within
from sim.scene import Colour, Material, Texture

NEARLY_GRAY = 0.03
UNTINTED = (0.75, 1.0)  # brightness of what multiplies a picture or a texture in natural colours


def surface(
    rng: np.random.Generator,
    look: LookRanges,
    unit_m: float,
    seeds: range,
    pictures: PictureRanges | None = None,
) -> Material:
    """A material for a mesh whose unit of UV is unit_m wide; `pictures` where they may stand for textures."""
    rgb = any_colour(rng, look)
    texture = _texture(rng, look, seeds, pictures)
    tile = within(rng, look.tile_m)
    plain = within(rng, UNTINTED)
    if texture is not None and (texture.path or texture.seed % 2 == 0):
        rgb = colour(plain, plain, plain)
    roughness, metallic, specular = (
        within(rng, look.roughness),
        happens(rng, look.metallic_share),
        within(rng, look.specular),
    )
    repeats = max(unit_m / tile, 0.05)
    return Material(rgb, texture, repeats, roughness, float(metallic), specular)


def any_colour(rng: np.random.Generator, look: LookRanges) -> Colour:
    """A colour within the look's brightness: of any hue, or nearly gray."""
    low, high = look.brightness
    *free, gray, first, second, third, choice = rng.random(8).tolist()
    if choice < look.gray_share:
        level = low + (high - low) * gray
        rgb = [level + NEARLY_GRAY * (2 * part - 1) for part in (first, second, third)]
    else:
        rgb = [low + (high - low) * part for part in free]
    return colour(*(min(max(part, low), high) for part in rgb))


def shown(material: Material) -> np.ndarray:
    """(3,) mean colour of a material, sRGB."""
    rgb = np.array(material.rgb)
    return rgb if material.texture is None else rgb * _mean(material.texture)


@lru_cache(maxsize=4096)
def _mean(texture: Texture) -> np.ndarray:
    return np.asarray(textures.pixels(texture, 32).mean(axis=(0, 1)) / 255)


def hue(rng: np.random.Generator, saturation: float) -> Colour:
    """A bright colour of any hue."""
    return colour(*colorsys.hsv_to_rgb(rng.random(), saturation, 1.0))


def _texture(
    rng: np.random.Generator, look: LookRanges, seeds: range, pictures: PictureRanges | None
) -> Texture | None:
    textured, family = happens(rng, look.textured_share), one_of(rng, look.families)
    natural, number, pictured = happens(rng, look.natural_share), rng.random(), rng.random()
    if pictures is not None and pictures.folder is not None and textured and pictured < pictures.share:
        paths = textures.pictures(pictures.folder)
        return Texture(textures.PICTURE, path=paths[int(number * len(paths))])
    seed = natural_seed(number, seeds) + (not natural)
    return Texture(family, seed) if textured else None


def natural_seed(number: float, seeds: range) -> int:
    """The seed of a texture in natural colours that a number in [0, 1) chooses: an even one."""
    return seeds.start + 2 * int(number * (len(seeds) // 2))


def robot_paint(
    rng: np.random.Generator, tones: tuple[Colour, ...], parts: int, ranges: RobotRanges, seeds: range
) -> tuple[Material, ...]:
    """One material per tone of the robot, or per part: its own colours somewhat changed, or any, clean or worn."""
    repainted, worn = happens(rng, ranges.repaint_share), happens(rng, ranges.wear_share)
    family, number = one_of(rng, ranges.wear_families), natural_seed(rng.random(), seeds)
    repeats = 1.0 + 6.0 * rng.random()
    roughness, specular = within(rng, ranges.roughness), within(rng, ranges.specular)
    brightness = within(rng, ranges.brightness)
    paints = []
    for tone in tones:
        tint, free = ranges.tint * rng.standard_normal(3), rng.random(3)
        natural = np.array(tone) * brightness + tint
        clean = Material(colour(*(free if repainted else natural)), None, 1.0, roughness, 0.0, specular)
        paints.append(replace(clean, texture=Texture(family, number), repeats=repeats) if worn else clean)
    if happens(rng, ranges.patchwork_share):
        return tuple(_patch(rng, paints[int(rng.integers(len(paints)))], ranges) for _ in range(parts))
    return tuple(paints)


def _patch(rng: np.random.Generator, paint: Material, ranges: RobotRanges) -> Material:
    """A paint as it is, in any gray, or in any colour; as rough and as shiny as any."""
    gray, free, choice = rng.random(), rng.random(3), rng.random()
    roughness, specular = within(rng, ranges.roughness), within(rng, ranges.specular)
    rgb = paint.rgb if choice < 0.5 else colour(gray, gray, gray) if choice < 0.8 else colour(*free)
    return replace(paint, rgb=rgb, roughness=roughness, specular=specular)
