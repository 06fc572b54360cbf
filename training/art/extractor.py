"""From a picture to its features at seven scales."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.images import resize
from training.art.features import MARGIN, SCALES, STRIDE, Features, grid_shape, side_px
from training.art.network import Network
from training.art.pictures import Picture

_METHOD = 1
"""Changes with what makes features of a picture, so that those in caches are not taken for new ones."""


class Extractor:
    """A backbone that makes features of pictures, of stride 16."""

    def __init__(self, network: Network, weights: str) -> None:
        """weights: their digest, as `training.art.backbone.digest` has it."""
        self._network, self.engine = network, network.engine
        self.key = key(weights, network.engine)

    def features(self, picture: Picture) -> Features:
        """Unit vectors in half precision at all scales."""
        grids = []
        for image, shape in zip(pyramid(picture), shapes(picture.size), strict=True):
            found = self._network.run(centred(image))
            assert found.shape[:2] == shape
            grids.append(found.astype(np.float16))
        return Features(picture.size, tuple(grids))


def key(weights: str, engine: str) -> str:
    """What tells features of one making from those of another, in hexadecimal digits."""
    made: tuple[Any, ...] = (_METHOD, weights, engine, SCALES, STRIDE)
    return hashlib.sha256(repr(made).encode()).hexdigest()


def shapes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Cells (h, w) of all grids of a picture of size (width, height) px."""
    return [grid_shape(size, scale) for scale in SCALES]


def pyramid(picture: Picture) -> list[NDArray[np.uint8]]:
    """The picture as each of its grids needs it, (side_px(h), side_px(w), 3)."""
    return [resize(picture.rgb, side_px(columns), side_px(rows)) for rows, columns in shapes(picture.size)]


def centred(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the first 7 px of both sides. A backbone's first cell is centred on the first pixel that it is given, and
    the picture has as much left and above of its first cell's middle as it has right and below of the last one's."""
    before = MARGIN // 2
    return image[before:, before:]
