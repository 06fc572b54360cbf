"""The procedural texture families. Each takes a stream, a size S and whether its colours are natural, and gives
(S, S, 3) floats, sRGB in [0, 1].

Each pattern lives on the unit torus, so that it repeats without a seam. Natural colours are those of the real thing
(wood, soil, paper); the others are any.
"""

from collections.abc import Callable

import cv2
import numpy as np

Pattern = Callable[[np.random.Generator, int, bool], np.ndarray]
Palette = tuple[tuple[float, float, float], ...]
TAU = 2 * np.pi


def value_noise(
    rng: np.random.Generator, size: int, coarsest: int, octaves: int, gain: float = 0.5
) -> np.ndarray:
    """(S, S) in [0, 1]: octaves of random grids, enlarged smoothly. The grid of the first octave has `coarsest` cells
    per side; each further octave twice as many and `gain` times the height."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = coarsest << octave
        if cells > size:
            break
        total += gain**octave * _enlarged(rng.random((cells, cells), dtype=np.float32), size)
    return unit(total)


def _enlarged(grid: np.ndarray, size: int) -> np.ndarray:
    """A square grid that wraps around, enlarged to (size, size) by cubic interpolation."""
    wrapped = np.pad(grid, 3, mode="wrap")
    steps = (np.arange(size, dtype=np.float32) + 0.5) * (len(grid) / size) + 2.5
    across, down = np.meshgrid(steps, steps)
    return np.asarray(cv2.remap(wrapped, across, down, cv2.INTER_CUBIC))


def unit(values: np.ndarray) -> np.ndarray:
    """Values moved and scaled to [0, 1]."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-6)


def coordinates(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x (1, S) and y (S, 1) of the pixels' centres on the unit square."""
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size
    return steps[None, :], steps[:, None]


def worley(rng: np.random.Generator, size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the nearest of `count` points on the torus: its distance (S, S) in sides, and its number (S, S)."""
    places = rng.integers(0, size, (count, 2))
    empty = np.ones((size, size), np.uint8)
    empty[places[:, 0], places[:, 1]] = 0
    margin = size // 2
    wrapped = np.pad(empty, margin, mode="wrap")
    distance, number = cv2.distanceTransformWithLabels(
        wrapped, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inner = slice(margin, margin + size)
    rows, columns = np.nonzero(wrapped == 0)
    home = (rows - margin) % size * size + (columns - margin) % size  # copies of a point share its number
    names = np.zeros(number.max() + 1, np.int64)
    names[number[rows, columns]] = home
    return distance[inner, inner] / size, names[number[inner, inner]]


def shade_of(number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random value in [0, 1] for each different number."""
    _, compact = np.unique(number, return_inverse=True)
    return rng.random(int(compact.max()) + 1, dtype=np.float32)[compact.reshape(number.shape)]


def mixed(pattern: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(S, S, 3): `low` (3,) where the pattern (S, S) is 0, `high` (3,) where it is 1."""
    return low + (high - low) * pattern[..., None]


def colours(rng: np.random.Generator, natural: bool, palette: Palette, count: int = 2) -> np.ndarray:
    """(count, 3) colours: those of the palette, somewhat varied, or any."""
    base = np.array([palette[i % len(palette)] for i in range(count)])
    varied = np.clip(base * rng.uniform(0.8, 1.2, (count, 1)) + rng.normal(0, 0.03, (count, 3)), 0, 1)
    free = rng.uniform(0.2, 1.0, (count, 3))
    return (varied if natural else free).astype(np.float32)


WOODS: Palette = ((0.45, 0.28, 0.14), (0.80, 0.62, 0.40))
STONES: Palette = ((0.35, 0.34, 0.33), (0.75, 0.73, 0.70))
EARTHS: Palette = ((0.25, 0.18, 0.12), (0.58, 0.46, 0.33))
GRASSES: Palette = ((0.16, 0.25, 0.08), (0.50, 0.58, 0.25))
PAPERS: Palette = ((0.15, 0.15, 0.18), (0.94, 0.93, 0.90))
MARBLES: Palette = ((0.42, 0.42, 0.45), (0.93, 0.92, 0.90))
BRICKS: Palette = ((0.70, 0.68, 0.64), (0.58, 0.28, 0.20))
CLOTHS: Palette = ((0.25, 0.28, 0.38), (0.60, 0.62, 0.68))


def noise(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Clouds, coarse or fine."""
    low, high = colours(rng, natural, STONES)
    return mixed(value_noise(rng, size, int(2 ** rng.integers(1, 5)), 5, rng.uniform(0.3, 0.8)), low, high)


def gradient(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A soft run from one colour to another and back, straight or round."""
    low, high = colours(rng, natural, STONES)
    x, y = coordinates(size)
    shift = rng.random(2)
    straight = 0.5 + 0.5 * np.sin(TAU * (rng.integers(0, 2) * x + y + shift[0]))
    round_ = 0.5 + 0.25 * (np.sin(TAU * (x + shift[0])) + np.sin(TAU * (y + shift[1])))
    return mixed(straight if rng.random() < 0.5 else round_, low, high)


def checker(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A chessboard, or tiles with joints."""
    low, high = colours(rng, natural, PAPERS)
    x, y = coordinates(size)
    count = 2 * int(rng.integers(1, 6))
    fields = ((x * count).astype(int) + (y * count).astype(int)) % 2
    if rng.random() < 0.35:
        joint = np.minimum((x * count) % 1, (y * count) % 1) < rng.uniform(0.04, 0.12)
        fields = ~joint
    grain = value_noise(rng, size, 8, 4) * rng.uniform(0, 0.15)
    return mixed(np.clip(fields - grain, 0, 1), low, high)


def stripes(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Bands of two or three colours, straight or a little wavy, their widths at random."""
    palette = colours(rng, natural, PAPERS, 3)
    x, y = coordinates(size)
    direction = rng.integers(-4, 5, 2)
    if not direction.any():
        direction[0] = 3
    phase = direction[0] * x + direction[1] * y + rng.choice([0.0, 0.15]) * value_noise(rng, size, 2, 2)
    bands = int(rng.integers(2, 6))
    kinds = rng.integers(0, 3, bands)
    edges = np.sort(rng.random(bands - 1))
    return palette[kinds[np.searchsorted(edges, phase % 1)]]


def waves(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Interfering waves: ripples, moire, curtains."""
    low, high = colours(rng, natural, CLOTHS)
    x, y = coordinates(size)
    total = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        u, v = rng.integers(-7, 8, 2)
        total += np.sin(TAU * (u * x + v * y + rng.random())).astype(np.float32)
    return mixed(unit(total), low, high)


def marble(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Veins: a wave bent by turbulence (Perlin, 1985)."""
    low, high = colours(rng, natural, MARBLES)
    x, y = coordinates(size)
    turbulence = value_noise(rng, size, 2, 6, 0.6)
    u, v = rng.integers(-2, 3, 2)
    vein = np.abs(np.sin(np.pi * (u * x + v * y + rng.uniform(2, 5) * turbulence)))
    clouds = value_noise(rng, size, 3, 4)
    return mixed(np.clip(vein ** rng.uniform(0.25, 0.7) - 0.2 * clouds, 0, 1), low, high)


def _grain(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, S) in [0, 1]: wood cut along its trunk, which runs down."""
    x, _ = coordinates(size)
    bend = value_noise(rng, size, 2, 3)
    rings = (rng.integers(3, 9) * x + rng.uniform(0.15, 0.7) * bend) % 1
    fibre = value_noise(rng, size, size // 8, 3, 0.8).mean(axis=0, keepdims=True)
    fibre = 0.6 * unit(fibre) + 0.4 * cv2.blur(rng.random((size, size), dtype=np.float32), (1, size // 8 | 1))
    return np.clip(0.25 + 0.65 * np.abs(2 * rings - 1) ** 0.8 - 0.35 * (fibre - 0.5), 0, 1)


def wood(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """One piece of wood."""
    low, high = colours(rng, natural, WOODS)
    return mixed(_grain(rng, size), low, high)


def planks(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Boards side by side, each of another shade, with dark joints."""
    low, high = colours(rng, natural, WOODS)
    x, y = coordinates(size)
    count = int(rng.integers(3, 8))
    board = np.broadcast_to((x * count).astype(int), (size, size))
    along = (y + rng.random(count)[board]) % 1
    shades = rng.uniform(-0.25, 0.25, count)[board]
    grain = np.roll(_grain(rng, size), size // 3, axis=0)
    joint = ((x * count) % 1 < 0.04) | (along < 0.012)
    return mixed(np.clip(grain + shades, 0, 1), low, high) * np.where(joint, 0.35, 1.0)[..., None]


def speckle(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Grains of another colour, as in granite or terrazzo."""
    ground, first, second = colours(rng, natural, (STONES[1], STONES[0], (0.2, 0.2, 0.2)), 3)
    fine = value_noise(rng, size, size // int(rng.choice([2, 4, 8])), 2)
    coarse = value_noise(rng, size, size // 4, 2)
    level = rng.uniform(0.6, 0.75)
    image = mixed(0.3 * value_noise(rng, size, 4, 4), ground, first)
    image = np.where((fine > level)[..., None], first, image)
    return np.where((coarse > level + 0.05)[..., None], second, image)


def spots(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Round spots, in rows or anywhere."""
    low, high = colours(rng, natural, PAPERS)
    x, y = coordinates(size)
    if rng.random() < 0.5:
        count = int(rng.integers(3, 10))
        u, v = (x * count) % 1 - 0.5, (y * count) % 1 - 0.5
        distance = np.hypot(u, v) / 0.5
    else:
        distance = worley(rng, size, int(rng.integers(10, 60)))[0]
        distance = distance / distance.max()
    edge = rng.uniform(0.25, 0.7)
    return mixed(np.clip((distance - edge) / 0.06, 0, 1), low, high)


def cells(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Distances to random points (Worley, 1996): leather, scales, cracked glaze."""
    low, high = colours(rng, natural, EARTHS)
    distance, _ = worley(rng, size, int(rng.integers(12, 200)))
    pattern = unit(distance) ** rng.uniform(0.6, 2.0)
    return mixed(pattern if rng.random() < 0.5 else 1 - pattern, low, high)


def gravel(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Pebbles, each of another shade, dark between them."""
    low, high = colours(rng, natural, STONES)
    distance, number = worley(rng, size, int(rng.integers(150, 500)))
    shades = shade_of(number, rng)
    domed = np.clip(1.25 - (distance / (distance.max() * 0.8)) ** 2, 0.25, 1)
    grain = 0.85 + 0.3 * (rng.random((size, size), dtype=np.float32) - 0.5)
    return mixed(shades, low, high) * (domed * grain)[..., None]


def dirt(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Soil: clouds, clods and crumbs."""
    low, high = colours(rng, natural, EARTHS)
    clouds = value_noise(rng, size, 3, 6, 0.75)
    crumbs = value_noise(rng, size, size // 4, 2)
    stones = np.clip((crumbs - 0.78) * 6, 0, 1)
    return mixed(np.clip(0.8 * clouds + 0.25 * (crumbs - 0.5) + 0.5 * stones, 0, 1), low, high)


def grass(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Short blades in all directions over a darker ground."""
    low, high = colours(rng, natural, GRASSES)
    canvas = (80 * value_noise(rng, size, 4, 4)).astype(np.uint8)
    count = 6 * size
    roots = rng.integers(0, size, (count, 2))
    tips = roots + rng.integers(-size // 16, size // 16 + 1, (count, 2))
    tones = rng.integers(60, 256, count)
    order = np.argsort(tones)
    for root, tip, tone in zip(
        roots[order].tolist(), tips[order].tolist(), tones[order].tolist(), strict=True
    ):
        cv2.line(canvas, root, tip, tone)
    return mixed(canvas.astype(np.float32) / 255, low, high)


def concrete(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Plain gray with pores and hardly visible clouds."""
    base, _ = colours(rng, natural, (STONES[1], STONES[0]))
    clouds = value_noise(rng, size, 3, 5, 0.6)
    grain = rng.random((size, size), dtype=np.float32)
    pores = value_noise(rng, size, size // 4, 1) > 0.88
    level = 0.8 + 0.25 * clouds + 0.08 * (grain - 0.5) - 0.3 * pores
    return base * level[..., None]


def stains(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A clean surface with dirty patches that fade out."""
    clean, dirty = colours(rng, natural, ((0.95, 0.95, 0.94), (0.50, 0.44, 0.36)))
    patches = np.clip((value_noise(rng, size, 3, 5, 0.6) - rng.uniform(0.45, 0.65)) * 4, 0, 1)
    dust = 0.12 * value_noise(rng, size, size // 4, 2)
    return mixed(np.clip(0.7 * patches + dust, 0, 1), clean, dirty)


def scratches(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """Brushed or worn paint: fine lines along one direction, some deep ones anywhere."""
    base, deep = colours(rng, natural, ((0.92, 0.92, 0.93), (0.45, 0.45, 0.48)))
    brushed = cv2.blur(
        rng.random((size, size), dtype=np.float32), (size // 4 | 1, 1), borderType=cv2.BORDER_REFLECT
    )
    pattern = 0.25 * unit(brushed) * rng.random()
    canvas = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(5, 40))):
        start = rng.integers(0, size, 2)
        end = start + rng.normal(0, size / 5, 2).astype(int)
        cv2.line(canvas, start.tolist(), end.tolist(), int(rng.integers(60, 256)), 1, cv2.LINE_AA)
    return mixed(np.clip(pattern + canvas / 255.0, 0, 1).astype(np.float32), base, deep)


def fabric(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A weave of threads over and under each other."""
    low, high = colours(rng, natural, CLOTHS)
    x, y = coordinates(size)
    count = int(rng.choice([8, 12, 16, 24])) if size >= 96 else 8
    over = ((x * count).astype(int) + (y * count).astype(int)) % 2
    warp = np.sin(np.pi * ((x * count) % 1)) * np.ones((size, 1), np.float32)
    weft = np.sin(np.pi * ((y * count) % 1)) * np.ones((1, size), np.float32)
    uneven = 0.2 * value_noise(rng, size, 8, 3)
    threads = np.where(over == 1, warp, weft)
    image = mixed(over * rng.uniform(0.2, 1.0) + 0.0 * threads, low, high)
    return image * (0.55 + 0.45 * threads - uneven)[..., None]


def bricks(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A wall of bricks or tiles in bond."""
    mortar, brick = colours(rng, natural, BRICKS)
    x, y = coordinates(size)
    courses = 2 * int(rng.integers(2, 6))
    across = max(courses // 2, 1)
    course = np.broadcast_to((y * courses).astype(int), (size, size))
    u = (x * across + 0.5 * (course % 2)) % across
    number = course * across + u.astype(int)
    joint = rng.uniform(0.05, 0.14)
    inside = (u % 1 > joint / 2) & ((y * courses) % 1 > joint)
    shade = 0.75 + 0.4 * shade_of(number, rng) + 0.2 * (value_noise(rng, size, 8, 4) - 0.5)
    return np.where(inside[..., None], brick * shade[..., None], mortar * (0.9 + 0.2 * rng.random()))


def print_(rng: np.random.Generator, size: int, natural: bool) -> np.ndarray:
    """A printed page: lines of words, a heading, a picture."""
    ink, paper = colours(rng, natural, PAPERS)
    canvas = np.full((size, size), 1.0, np.float32)
    rows = int(rng.integers(9, 22))
    height = size / rows
    margin = int(0.08 * size)
    for row in range(1, rows - 1):
        left, top = margin, int(row * height)
        end = size - margin - (int(rng.uniform(0, 0.6) * size) if rng.random() < 0.25 else 0)
        while left < end:
            length = int(rng.uniform(1.0, 4.5) * height)
            canvas[top : top + max(int(0.5 * height), 1), left : min(left + length, end)] = rng.uniform(
                0.1, 0.45
            )
            left += length + max(int(0.6 * height), 1)
    if rng.random() < 0.6:
        top, left = rng.integers(margin, size // 2, 2)
        side = int(rng.uniform(0.25, 0.45) * size)
        canvas[top : top + side, left : left + side] = value_noise(rng, side, 2, 4)
    return mixed(canvas, ink, paper)


FAMILY_PATTERNS: dict[str, Pattern] = {
    "bricks": bricks,
    "cells": cells,
    "checker": checker,
    "concrete": concrete,
    "dirt": dirt,
    "fabric": fabric,
    "gradient": gradient,
    "grass": grass,
    "gravel": gravel,
    "marble": marble,
    "noise": noise,
    "planks": planks,
    "print": print_,
    "scratches": scratches,
    "speckle": speckle,
    "spots": spots,
    "stains": stains,
    "stripes": stripes,
    "waves": waves,
    "wood": wood,
}
