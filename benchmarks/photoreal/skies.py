"""Light from all around, as panoramas of linear radiance (256, 512, 3) float32: rooms with windows, skies with clouds.

Row 0 is straight up; the column of azimuth a is (0.5 - a / 2π) of the width.
"""

import cv2
import numpy as np

from benchmarks.photoreal.patterns import clouds

HEIGHT, WIDTH = 256, 512


def _elevation() -> np.ndarray:
    return (np.pi / 2 - (np.arange(HEIGHT) + 0.5) / HEIGHT * np.pi)[:, None, None]


def kelvin(temperature: float) -> np.ndarray:
    """Linear colour (3,) of light of a temperature in K, green 1: a fit to the black body between 2500 and 9000 K."""
    t = temperature / 6500
    return np.array((t**-0.75 if t < 1 else t**-0.45, 1.0, t**1.35 if t < 1 else t**0.5))


def room(rng: np.random.Generator) -> np.ndarray:
    """Walls, a ceiling with bright panels, one or two windows."""
    tone = rng.uniform(0.12, 0.35) * kelvin(rng.uniform(3800, 6500))
    elevation = _elevation()
    picture = np.where(elevation > 0.7, tone * 1.3, tone * (0.8 + 0.3 * elevation)) * np.ones((1, WIDTH, 1))
    picture = np.where(elevation < 0, tone * 0.5, picture).astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):  # windows
        column, wide = int(rng.integers(WIDTH)), int(rng.integers(30, 80))
        top, high = int(rng.integers(70, 95)), int(rng.integers(25, 50))
        glow = rng.uniform(2, 8) * kelvin(rng.uniform(5500, 8500))
        columns = np.arange(column, column + wide) % WIDTH
        picture[top : top + high, columns] = glow
        picture[top : top + high, columns[:: max(6, wide // 3)]] = tone * 0.6  # frames
    for _ in range(int(rng.integers(0, 5))):  # ceiling panels
        column, wide = int(rng.integers(WIDTH)), int(rng.integers(12, 60))
        top = int(rng.integers(15, 55))
        picture[top : top + 8, np.arange(column, column + wide) % WIDTH] = rng.uniform(4, 12) * kelvin(
            rng.uniform(3000, 6500)
        )
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def sky(rng: np.random.Generator, azimuth: float, height: float, cover: float) -> np.ndarray:
    """Blue above, haze at the horizon, clouds over the share `cover`, glow round the sun (rad), trees, earth below."""
    elevation = np.broadcast_to(_elevation(), (HEIGHT, WIDTH, 1))
    up = np.clip(np.sin(elevation), 0, 1)
    zenith, haze = np.array((0.16, 0.33, 0.78)), np.array((0.72, 0.80, 0.92))
    picture = haze + (zenith - haze) * up**0.55
    column = (0.5 - azimuth / (2 * np.pi)) * WIDTH
    away = np.abs(np.arange(WIDTH) - column)
    away = np.minimum(away, WIDTH - away) / WIDTH * 2 * np.pi
    angle = np.hypot(away[None, :, None] * np.cos(elevation), elevation - height)
    picture = picture * (1 + 1.5 * np.exp(-angle / 0.35))
    field = cv2.resize(clouds(rng, slope=1.7), (WIDTH, HEIGHT))[..., None]
    thick = np.clip((field - (1 - cover)) / 0.25, 0, 1)
    cloud = (0.55 + 0.6 * cv2.resize(clouds(rng, slope=1.5), (WIDTH, HEIGHT))[..., None]) * np.array(
        (1.0, 1.0, 1.03)
    )
    picture = picture + (cloud * (1 - 0.45 * cover) - picture) * thick * np.clip(up * 6, 0, 1)
    line = np.interp(np.arange(WIDTH), np.arange(0, WIDTH, 8), rng.uniform(0.01, 0.11, WIDTH // 8))
    line += rng.uniform(0, 0.03, WIDTH)
    trees = elevation[..., 0] < line[None]
    leaves = np.array((0.05, 0.09, 0.035)) * rng.uniform(0.6, 2.0, (HEIGHT, WIDTH, 1))
    picture = np.where(trees[..., None], leaves, picture)
    earth = np.array((0.16, 0.12, 0.08))
    return np.where(elevation < 0, earth, picture).astype(np.float32)
