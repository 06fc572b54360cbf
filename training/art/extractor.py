"""From a picture to its features at seven scales."""

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import EngineError
from perception.images import resize
from training.art.features import SCALES, Features, grid_shape, side_px
from training.art.network import Network
from training.art.pictures import Picture

_METHOD = 1
"""Changes with what makes features of a picture, so that those in caches are not taken for new ones."""


class Extractor:
    """A backbone's network that makes features of pictures."""

    def __init__(self, network: Network, weights: str, stride: int) -> None:
        """weights: their digest, as `training.art.backbone.digest` has it. stride: the backbone's, px."""
        self._network, self.stride, self.engine = network, stride, network.engine
        self.key = key(weights, network.engine)

    def features(self, picture: Picture) -> Features:
        """Unit vectors in half precision at all scales. Raises EngineError for a network that fails, or has another
        stride."""
        return Features(picture.size, tuple(self._grid(picture, shape) for shape in shapes(picture.size)))

    def _grid(self, picture: Picture, shape: tuple[int, int]) -> NDArray[np.float16]:
        """(h, w, C), of a shape (h, w)."""
        found = self._network.run(level(picture, self.stride, shape))
        if found.shape[:2] != shape:
            raise EngineError(f"the backbone gives a grid of {found.shape[:2]}, not {shape}: see to its stride.")
        return found.astype(np.float16)


def key(weights: str, engine: str) -> str:
    """What tells features of one making from those of another, in hexadecimal digits."""
    made: tuple[Any, ...] = (_METHOD, weights, engine, SCALES)
    return hashlib.sha256(repr(made).encode()).hexdigest()


@lru_cache(maxsize=1000)
def shapes(size: tuple[int, int], scales: tuple[int, ...] | None = None) -> tuple[tuple[int, int], ...]:
    """Cells (h, w) of all grids of a picture of size (width, height) px; scales: None for `SCALES`."""
    return tuple(grid_shape(size, scale) for scale in scales or SCALES)


def pyramid(picture: Picture, stride: int) -> list[NDArray[np.uint8]]:
    """The picture as a backbone of that stride is given it for each of the grids, (H, W, 3).

    A backbone's first cell is centred on the first pixel that it is given. So the first pixels of each side, nearly
    half a stride, are left out: then as much is beyond the middle of the first cell as beyond that of the last one.
    """
    return [level(picture, stride, shape) for shape in shapes(picture.size)]


def level(picture: Picture, stride: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """One image of `pyramid`: that for a grid of a shape (h, w)."""
    before = (stride - 1) // 2
    rows, columns = shape
    return resize(picture.rgb, side_px(columns, stride), side_px(rows, stride))[before:, before:]
