"""Pairs of pictures of one view, rendered on white and before a photograph, both in grey (Massa, Russell and Aubry,
"Deep exemplar 2D-3D detection by adapting from real to rendered views", CVPR 2016, section 3)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from perception.errors import BlockworldError
from perception.picture_folder import ENDINGS, content_digest
from sim.random_streams import stream
from sim.renderers import Renderer
from sim.scene import Texture
from sim.shapes.controlled import Look, cut_out, on_background
from sim.textures import FAMILIES, pixels
from training.art.pictures import read_picture

ELEVATION_RAD = (-0.05, 0.8)
FILL = (0.7, 0.95)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
WHITE = (255, 255, 255)


class Backgrounds(Protocol):
    """Where pictures behind things come from; digest: what tells them from others."""

    @property
    def digest(self) -> str: ...

    def behind(self, rng: np.random.Generator, size_px: int) -> np.ndarray:
        """(size_px, size_px, 3) uint8 RGB."""
        ...


class Textures:
    """Two procedural textures, one on each side of an edge of any direction, as a wall and a floor are."""

    digest = "textures"

    def behind(self, rng: np.random.Generator, size_px: int) -> np.ndarray:
        """See `Backgrounds`."""
        one, other = (
            pixels(Texture(FAMILIES[rng.integers(len(FAMILIES))], int(rng.integers(2**31))), size_px) for _ in range(2)
        )
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3) * size_px
        rows, columns = np.mgrid[:size_px, :size_px] - size_px / 2
        return np.where((columns * np.cos(angle) + rows * np.sin(angle) > offset)[..., None], one, other)


class Photographs:
    """Random squares of the pictures of a folder. Raises BlockworldError for a folder without any."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(one for one in folder.rglob("*") if one.suffix.lower() in ENDINGS)
        if not self._paths:
            raise BlockworldError(f"there is no picture in {folder}: name a folder of photographs for --backgrounds.")

    def behind(self, rng: np.random.Generator, size_px: int) -> np.ndarray:
        """See `Backgrounds`. Raises ImageError for a picture that cannot be read."""
        rgb = read_picture(self._paths[rng.integers(len(self._paths))]).rgb
        height, width = rgb.shape[:2]
        side = max(1, int(rng.uniform(0.4, 1.0) * min(width, height)))
        x, y = (int(rng.integers(0, one - side + 1)) for one in (width, height))
        square = rgb[y : y + side, x : x + side]
        method = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=method))

    @property
    def digest(self) -> str:
        """Of all of the pictures."""
        return hashlib.sha256("".join(content_digest(one) for one in self._paths).encode()).hexdigest()


def grey(pictures: np.ndarray) -> np.ndarray:
    """(..., 3) uint8: the same without colour, in three equal channels."""
    return np.repeat(np.rint(pictures @ _LUMA)[..., None], 3, axis=-1).astype(np.uint8)


def pair(
    renderer: Renderer, mesh: str, backgrounds: Backgrounds, seed: int, index: int, size_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """A view on white, and before a background, (size_px, size_px, 3) uint8 each; of (seed, index) alone."""
    rng = stream(seed, index, f"pair {mesh}")
    shade = float(rng.uniform(0.2, 0.9))
    look = Look(
        azimuth_rad=float(rng.uniform(-np.pi, np.pi)),
        elevation_rad=float(rng.uniform(*ELEVATION_RAD)),
        fill=float(rng.uniform(*FILL)),
        foreground=(shade,) * 3,
        light_rad=float(rng.uniform(-1.2, 1.2)),
    )
    thing = cut_out(renderer, mesh, look, size_px)
    return grey(on_background(thing, WHITE)), grey(on_background(thing, backgrounds.behind(rng, size_px)))


def pairs(
    renderer: Renderer, meshes: Sequence[str], backgrounds: Backgrounds, seed: int, indices: Sequence[int], size_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of these numbers, (N, size_px, size_px, 3) uint8 each; pair i is of mesh i % (number of meshes)."""
    made = [pair(renderer, meshes[i % len(meshes)], backgrounds, seed, i, size_px) for i in indices]
    return np.stack([one for one, _ in made]), np.stack([other for _, other in made])
