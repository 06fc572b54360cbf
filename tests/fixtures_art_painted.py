"""Pictures drawn by a program, some with the same ship in them, and features of their pixels: what stands in for scans
and a network where neither is what is tested."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.art.extractor import Extractor, shapes
from training.art.feature_store import FeatureStore
from training.art.features import Features
from training.art.pictures import Picture

SIZE = (480, 360)
SHIP = (120, 130)
"""(width, height) px of the ship where its scale is 1."""
SHIPS = {"harbour.png": (40, 130, 1.5), "storm.png": (240, 110, 1.7), "evening.png": (150, 150, 1.35)}
"""x, y px and scale of the ship in the pictures that have one."""
OTHERS = ("hills.png", "valley.png")
_EARTHS = ((122, 134, 92), (96, 122, 128), (150, 120, 84), (88, 96, 78), (142, 142, 118))
_PIXELS, _CHANNELS = 4, 48


def ship_box(name: str) -> tuple[float, float, float, float]:
    """x, y, w, h px of the ship."""
    x, y, scale = SHIPS[name]
    return x, y, SHIP[0] * scale, SHIP[1] * scale


def painted(seed: int, ship: tuple[int, int, float] | None = None) -> Image.Image:
    """Hills below a sky, with brush strokes; a ship in front of them, or none."""
    random = np.random.default_rng(seed)
    width, height = SIZE
    top, bottom = (random.integers(170, 215) + random.integers(-22, 22, 3) for _ in range(2))
    share = np.linspace(0, 1, height)[:, None, None]
    image = Image.fromarray(np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        base = height * (0.45 + 0.18 * layer)
        waves = random.uniform(8, 30, 4) / (1 + np.arange(4)), random.uniform(0, 7, 4)
        x = np.arange(width + 1)
        y = base + sum(a * np.sin((k + 1.5) * x / 60 + phase) for k, (a, phase) in enumerate(zip(*waves, strict=True)))
        earth = random.uniform(0.6, 1.4) * np.array(_EARTHS[random.integers(len(_EARTHS))])
        colour = tuple(int(one) for one in np.clip(earth + random.integers(-12, 12, 3), 0, 255))
        draw.polygon([(0, height), *zip(x.tolist(), y.tolist(), strict=True), (width, height)], fill=colour)
    for _ in range(260):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        r, g, b = (int(np.clip(one + random.integers(-28, 28), 0, 255)) for one in image.getpixel((x, y)))
        draw.line([(x, y), (x + random.integers(8, 30), y + random.integers(-5, 5))], fill=(r, g, b), width=3)
    if ship is not None:
        _sail(image, *ship)
    return image


def _sail(image: Image.Image, x: int, y: int, scale: float) -> None:
    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + scale * a, y + scale * b) for a, b in points]

    draw = ImageDraw.Draw(image)
    draw.polygon(at((5, 95), (115, 95), (98, 126), (24, 126)), fill="#3b2416")
    draw.polygon(at((5, 95), (115, 95), (112, 103), (9, 103)), fill="#8c5a2b")
    draw.line(at((58, 4), (58, 95)), fill="#20130b", width=max(2, round(4 * scale)))
    draw.polygon(at((54, 8), (54, 86), (12, 84), (30, 40)), fill="#efe6cf")
    draw.polygon(at((62, 14), (104, 82), (62, 86)), fill="#c8442d")
    draw.polygon(at((58, 2), (80, 8), (58, 15)), fill="#1f4e8c")
    for step in range(5):
        draw.ellipse(at((22 + 16 * step, 107), (30 + 16 * step, 115)), fill="#e0b94f")


def painted_folder(folder: Path) -> Path:
    """Five pictures, three of them with the ship."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, ship) in enumerate([*SHIPS.items(), *((name, None) for name in OTHERS)]):
        painted(seed, ship).save(folder / name)
    return folder


class PixelExtractor(Extractor):
    """Features are what pixels around a cell look like, by a random projection."""

    def __init__(self) -> None:
        self.engine, self.key = "onnxruntime-cpu", "pixels"
        self._projection = np.random.default_rng(0).normal(size=((2 * _PIXELS) ** 2 * 3, _CHANNELS)).astype(np.float32)

    def features(self, picture: Picture) -> Features:
        """See `Extractor`."""
        return Features(picture.size, tuple(self._grid(picture.rgb, shape) for shape in shapes(picture.size)))

    def _grid(self, rgb: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.float16]:
        small = cv2.resize(rgb, (shape[1] * _PIXELS, shape[0] * _PIXELS), interpolation=cv2.INTER_AREA)
        padded = np.pad(small.astype(np.float32), ((2, 2), (2, 2), (0, 0)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * _PIXELS, 2 * _PIXELS), axis=(0, 1))
        cells = windows[::_PIXELS, ::_PIXELS][: shape[0], : shape[1]].reshape(*shape, -1)
        cells = cells - cells.mean(axis=2, keepdims=True)
        found = cells @ self._projection + 1e-3
        return (found / np.linalg.norm(found, axis=2, keepdims=True)).astype(np.float16)


def painted_store(folder: Path) -> tuple[FeatureStore, PixelExtractor]:
    """A cache for them."""
    extractor = PixelExtractor()
    return FeatureStore(folder, extractor.key), extractor
