"""Features of pictures at several scales: grids of unit vectors, and where in the picture their cells are.

A grid of f cells along a side comes from that side resized to (f - 1) * 16 + 15 px (Shen et al., CVPR 2019), for
backbones of stride 16: between the middles of neighbouring cells are 16 px, and beyond the first and the last 7.5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCALES = (80, 74, 68, 60, 49, 36, 20)
"""Cells along the longest side of a picture, of each of its grids."""
STRIDE = 16
"""Pixels of a resized picture from one cell to the next, of the backbone that grids are laid out for. For another
stride cells are as many, and their middles differ by less than a thirtieth of a cell."""
MARGIN = STRIDE - 1
"""Pixels that the first cell along a side takes."""


@dataclass(frozen=True, eq=False)
class Features:
    """One picture's features: of each scale a grid (h, w, C) float16 of unit vectors."""

    size: tuple[int, int]
    """(width, height) of the picture, upright, px."""
    grids: tuple[NDArray[np.float16], ...]
    """From the finest scale to the coarsest, as `SCALES` has them."""


def cell_centres(shape: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) cells -> (h, w, 2) float32: (x, y) of the middle of each, in [0, 1] of the picture's width and height."""
    rows, columns = (_along(count) for count in shape)
    return np.stack(np.meshgrid(columns, rows), axis=-1)


def side_px(cells: int, stride: int = STRIDE) -> int:
    """How many pixels a side has that gives so many cells: (cells - 1) * stride + stride - 1."""
    return cells * stride - 1


def grid_shape(size: tuple[int, int], scale: int) -> tuple[int, int]:
    """Cells (h, w) of a picture of size (width, height) px at a scale: along the shorter side as many as come nearest
    to its share, at least one."""
    longest = side_px(scale)
    width, height = (max(1, round((longest * side / max(size) + 1) / STRIDE)) for side in size)
    return height, width


def _along(count: int) -> NDArray[np.float32]:
    return ((STRIDE * np.arange(count) + MARGIN / 2) / side_px(count)).astype(np.float32)
