"""Textures on the device: layers of one array, each with all its mipmap levels, the least recently used given up."""

import ctypes
from collections import OrderedDict
from collections.abc import Sequence

import cv2
import numpy as np

from sim.renderers.gl.context import RGB, TEXTURE_2D_ARRAY, UNSIGNED_BYTE, Context
from sim.scene import Texture
from sim.textures import pixels

SIZE = 256
LAYERS = 256


class TexturePool:
    """Layer numbers of textures. Holds LAYERS of them, or as many as one scene needs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._layers: OrderedDict[Texture, int] = OrderedDict()
        self._reserve(LAYERS)

    def _reserve(self, layers: int) -> None:
        gl = self._context.gl
        self.array = gl.texture_array((SIZE, SIZE, layers), 4)
        self.array.build_mipmaps()
        self._layers.clear()
        self._free = list(range(layers))

    def layers(self, textures: Sequence[Texture | None]) -> list[int]:
        """The layer of each texture, -1 for None. Raises ValueError for one that cannot be made or read."""
        needed = dict.fromkeys(texture for texture in textures if texture is not None)
        if len(needed) > self.array.layers:
            self.array.release()
            self._reserve(2 * len(needed))
        for texture in needed:
            if texture in self._layers:
                self._layers.move_to_end(texture)
        for texture in needed:
            if texture not in self._layers:
                levels = mipmaps(pixels(texture, SIZE)[::-1])  # OpenGL's first row is the lowest
                layer = self._free.pop() if self._free else self._layers.popitem(last=False)[1]
                self._write(layer, levels)
                self._layers[texture] = layer
        return [-1 if texture is None else self._layers[texture] for texture in textures]

    def _write(self, layer: int, levels: list[np.ndarray]) -> None:
        context = self._context
        context.glBindTexture(TEXTURE_2D_ARRAY, self.array.glo)
        context.glPixelStorei(0x0CF5, 1)  # rows of the smallest levels are not multiples of four bytes
        for number, level in enumerate(levels):
            size = len(level)
            data = level.ctypes.data_as(ctypes.c_void_p)
            context.glTexSubImage3D(
                TEXTURE_2D_ARRAY, number, 0, 0, layer, size, size, 1, RGB, UNSIGNED_BYTE, data
            )


def mipmaps(picture: np.ndarray) -> list[np.ndarray]:
    """The picture (S, S, 3) uint8 sRGB and its halves down to one pixel, averaged as light is: linearly."""
    levels = [np.ascontiguousarray(picture, np.uint8)]
    linear: np.ndarray = (levels[0] / np.float32(255)) ** np.float32(2.2)
    while len(linear) > 1:
        half = len(linear) // 2
        linear = cv2.resize(linear, (half, half), interpolation=cv2.INTER_AREA).reshape(half, half, 3)
        levels.append(np.rint(255 * linear ** np.float32(1 / 2.2)).astype(np.uint8))
    return levels
