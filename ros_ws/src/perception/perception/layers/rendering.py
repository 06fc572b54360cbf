"""Layers as pixels, at any size and of any part.

Masks are evaluated at every pixel only where interpolation is not true to the tolerance of `perception.layers.tiles`.
From the topmost layer down, each tile is given what each layer contributes to it, until nothing below shows.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.errors import LayersError
from perception.layers.compositing import composited, paints, sigmoid
from perception.layers.grid import Floats, axis
from perception.layers.layer import Decomposition, Layer
from perception.layers.network import LayersNetwork
from perception.layers.picture import MOST_PIXELS, Rgba, unmultiplied
from perception.layers.tiles import EMPTY, FULL, HIDDEN, TiledMasks, tile_of


@dataclass(frozen=True)
class Region:
    """A part of a picture, px."""

    left: int
    top: int
    width: int
    height: int


def render(
    network: LayersNetwork,
    made: Decomposition,
    width: int,
    height: int,
    region: Region | None = None,
    exact: bool = False,
) -> Floats:
    """(H, W, C) of a picture of width x height px, or of a region of it: colours multiplied with how opaque they are.

    exact: every mask at every pixel. Raises LayersError for sizes that are not worked with.
    """
    part = region or Region(0, 0, width, height)
    inside = part.left >= 0 and part.top >= 0 and part.left + part.width <= width and part.top + part.height <= height
    if min(width, height, part.width, part.height) < 1 or part.width * part.height > MOST_PIXELS or not inside:
        raise LayersError(
            f"{part.width} x {part.height} px of {width} x {height} were asked for: give a part of the picture, of at "
            f"least 1 and at most {MOST_PIXELS // 10**6} megapixels."
        )
    channels, tile = 4 if made.transparent else 3, tile_of(width, height)
    if not made.opacities.any():
        return np.zeros((part.height, part.width, channels), np.float32)
    if not all(one.plain for one in made.layers):
        return _one_by_one(network, made, width, height, part, exact)
    if exact or tile is None:
        return _every_pixel(network, made, width, height, part)
    return _in_tiles(network, made, (width, height), tile, part)


def to_rgba(picture: Floats) -> Rgba:
    """What `render` gives as (H, W, 4) uint8."""
    height, width, channels = picture.shape
    found = np.empty((height, width, 4), np.uint8)
    rows = max(1, (1 << 15) // width)  # at once, which caches hold
    for top in range(0, height, rows):
        here = picture[top : top + rows]
        if channels == 4:
            found[top : top + rows] = unmultiplied(here)
        else:
            found[top : top + rows, :, :3] = np.rint(255 * np.clip(here, 0, 1))
            found[top : top + rows, :, 3] = 255
    return found


def mask_at(
    network: LayersNetwork,
    layer: Layer,
    width: int,
    height: int,
    region: Region | None = None,
    exact: bool = False,
) -> Floats:
    """(H, W) in [0, 1]: where a layer is, shown or not; see `render`."""
    found: Floats | None = None
    for parameters in layer.masks:
        one = Layer(parameters, np.ones(3, np.float32))
        white = Decomposition("", width, height, (one,), False)
        mask = render(network, white, width, height, region, exact)[..., 0]
        found = mask if found is None else found + mask * (1 - found)
    return np.asarray(found, np.float32)


def masks_at(network: LayersNetwork, made: Decomposition, width: int, height: int) -> Floats:
    """(T, height, width) in [0, 1], of all layers, shown or not."""
    return np.stack([mask_at(network, one, width, height) for one in made.layers])


def colours_at(layer: Layer, width: int, height: int, region: Region | None = None) -> Floats:
    """(3,) of a layer of one colour as it is seen; of one with a gradient (H, W, 3), at the pixels of a picture of
    width x height px or of a region of it."""
    if layer.gradient is None:
        return layer.paint
    part = region or Region(0, 0, width, height)
    size = np.array([width, height], np.float32)
    start, end = ((np.array(place, np.float32) + 1) / 2 * size for place in (layer.gradient.start, layer.gradient.end))
    line = end - start
    x = np.arange(part.left, part.left + part.width, dtype=np.float32) + 0.5 - start[0]
    y = np.arange(part.top, part.top + part.height, dtype=np.float32) + 0.5 - start[1]
    length = float(line @ line)
    along = (x * line[0] + y[:, None] * line[1]) / length if length else np.ones((len(y), len(x)), np.float32)
    first, second = layer.paint
    return np.asarray(first + np.clip(along, 0, 1)[..., None] * (second - first), np.float32)


def _one_by_one(
    network: LayersNetwork, made: Decomposition, width: int, height: int, part: Region, exact: bool
) -> Floats:
    """Layers of several masks or with gradients."""
    canvas = np.zeros((part.height, part.width, 4 if made.transparent else 3), np.float32)
    for layer, opacity in zip(made.layers, made.opacities, strict=True):
        if opacity > 0:
            mask = opacity * mask_at(network, layer, width, height, part, exact)[..., None]
            canvas[..., :3] += mask * (colours_at(layer, width, height, part) - canvas[..., :3])
            canvas[..., 3:] += mask * (1 - canvas[..., 3:])
    return canvas


def _every_pixel(network: LayersNetwork, made: Decomposition, width: int, height: int, part: Region) -> Floats:
    x = axis(width)[part.left : part.left + part.width]
    y = axis(height)[part.top : part.top + part.height]
    paint = paints(made.colours, 4 if made.transparent else 3)
    found = np.empty((part.height, part.width, paint.shape[1]), np.float32)
    rows = max(1, (1 << 18) // part.width)
    for top in range(0, part.height, rows):
        here = y[top : top + rows]
        points = np.stack(np.broadcast_arrays(x[None], here[:, None]), axis=2).reshape(-1, 2)
        masks = sigmoid(network.logits(points, made.parameters)) * made.opacities[:, None]
        blank = np.zeros((len(points), paint.shape[1]), np.float32)
        found[top : top + rows] = composited(masks, paint, blank).reshape(len(here), part.width, -1)
    return found


def _in_tiles(
    network: LayersNetwork, made: Decomposition, size: tuple[int, int], tile: tuple[int, int], part: Region
) -> Floats:
    shown = np.flatnonzero(made.opacities > 0)
    opacities = made.opacities[shown]
    corners = _corners(part, tile)
    masks = TiledMasks(network, made.parameters[shown], opacities, size, tile, corners)
    paint = paints(made.colours[shown], 4 if made.transparent else 3)
    found = np.empty((part.height, part.width, paint.shape[1]), np.float32)

    def draw(numbers: range) -> None:
        weights = np.empty((len(shown), tile[1], tile[0]), np.float32)
        for number in numbers:
            used = _weights(masks, opacities, number, weights)
            painted = np.matmul(weights[: len(used)].transpose(1, 2, 0), paint[used])
            left, top = corners[number] - (part.left, part.top)
            place = found[max(0, top) : top + tile[1], max(0, left) : left + tile[0]]
            y, x = max(0, -top), max(0, -left)
            place[:] = painted[y : y + place.shape[0], x : x + place.shape[1]]

    # Of a few threads each has its own scratch, which stays in the cache of its core.
    threads = min(len(os.sched_getaffinity(0)), len(corners))
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(draw, [range(first, len(corners), threads) for first in range(threads)]):
            pass
    return found


def _corners(part: Region, tile: tuple[int, int]) -> NDArray[np.int64]:
    """(M, 2): x and y of the tiles that a part of a picture lies in."""
    columns = np.arange(part.left // tile[0], -(-(part.left + part.width) // tile[0])) * tile[0]
    rows = np.arange(part.top // tile[1], -(-(part.top + part.height) // tile[1])) * tile[1]
    return np.stack(np.broadcast_arrays(columns[None], rows[:, None]), axis=2).reshape(-1, 2)


def _weights(masks: TiledMasks, opacities: Floats, number: int, weights: Floats) -> list[int]:
    """Fill in how much of each layer is seen in a tile, from the topmost down; gives which layers they are of."""
    used: list[int] = []
    left: Floats | None = None  # what shows of all below; None for everything
    for layer in reversed(range(len(opacities))):
        state, own = masks.states[layer, number], weights[len(used)]
        if state in (EMPTY, HIDDEN):
            continue
        used.append(layer)
        if state == FULL:
            own[:] = opacities[layer]
        else:
            masks.mask(layer, number, own)
            if opacities[layer] < 1:
                np.multiply(own, opacities[layer], out=own)
        if left is None:
            left = 1 - own
        else:
            np.multiply(own, left, out=own)
            np.subtract(left, own, out=left)
    return used
