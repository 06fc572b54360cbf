"""Layers as pixels, at any size and of any part.

A large picture is divided into blocks in which a mask's logit is nearly a polynomial: it is evaluated at a few nodes
of each block and interpolated, where that is true to `TOLERANCE`, and at every pixel elsewhere. Blocks in which a mask
is 0 or 1 throughout cost their nodes alone. What a block looks like depends on nothing outside of it, so that parts of
a picture are equal to the whole.
"""

from dataclasses import dataclass

import numpy as np

from perception.errors import LayersError
from perception.layers.compositing import composited, paints, sigmoid
from perception.layers.grid import Floats, axis
from perception.layers.layer import Decomposition, Layer
from perception.layers.network import LayersNetwork
from perception.layers.picture import MOST_PIXELS, Rgba, unmultiplied

TOLERANCE = 1 / 1024
"""Of a mask in [0, 1]: a quarter of a step of 8 bits."""
_COARSE, _FINE = 3, 5
"""Nodes along a block's side: where it is found that a mask is 0 or 1, and where it is interpolated from."""
_BLOCKS_ACROSS, _SMALLEST, _LARGEST = 40, 16, 64
"""A picture's shorter side has at least so many blocks, of so many pixels."""
_SATURATED = 8.0
"""A logit whose mask is within 1/2981 of 0 or 1."""
_SPREAD = 1.0
"""How far beyond the nodes' values a logit may go, in ranges of these."""


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
    side = 1 << int(np.log2(max(1, min(width, height) // _BLOCKS_ACROSS)))
    channels = 4 if made.transparent else 3
    if not made.layers:
        return np.zeros((part.height, part.width, channels), np.float32)
    if not all(one.plain for one in made.layers):
        return _one_by_one(network, made, width, height, part, exact)
    if exact or side < _SMALLEST:
        return _every_pixel(network, made, width, height, part)
    return _in_blocks(network, made, width, height, part, min(side, _LARGEST))


def to_rgba(picture: Floats) -> Rgba:
    """What `render` gives as (H, W, 4) uint8."""
    if picture.shape[2] == 4:
        return unmultiplied(picture)
    rgb = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=2)


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
        white = Decomposition(network.manifest.name, width, height, (one,), False)
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


def _in_blocks(
    network: LayersNetwork, made: Decomposition, width: int, height: int, part: Region, side: int
) -> Floats:
    columns = np.arange(part.left // side, -(-(part.left + part.width) // side))
    rows = np.arange(part.top // side, -(-(part.top + part.height) // side))
    corners = np.stack(np.broadcast_arrays(columns[None] * side, rows[:, None] * side), axis=2).reshape(-1, 2)
    paint = paints(made.colours, 4 if made.transparent else 3)
    canvas = np.zeros((len(corners), side, side, paint.shape[1]), np.float32)
    size, spread = np.array([width, height]), _Nodes(_COARSE, side)
    coarse = network.logits(spread.points(corners, size), made.parameters).reshape(len(paint), len(corners), -1)
    fine = _Nodes(_FINE, side)
    for t, one in enumerate(paint):
        opacity = float(made.opacities[t])
        if opacity == 0:
            continue
        low, high = coarse[t].min(axis=1), coarse[t].max(axis=1)
        margin = _SATURATED + _SPREAD * (high - low)
        full, empty = low > margin, high < -margin
        if opacity == 1:
            canvas[full] = one
        else:
            canvas[full] += opacity * (one - canvas[full])
        active = np.flatnonzero(~(full | empty))
        for few in np.array_split(active, max(1, len(active) // 64)):
            if len(few):
                mask = opacity * sigmoid(_block_logits(network, made.parameters[t], corners[few], size, fine))
                canvas[few] += mask[..., None] * (one - canvas[few])
    whole = canvas.reshape(len(rows), len(columns), side, side, -1).swapaxes(1, 2)
    whole = whole.reshape(len(rows) * side, len(columns) * side, -1)
    top, left = part.top - rows[0] * side, part.left - columns[0] * side
    return np.ascontiguousarray(whole[top : top + part.height, left : left + part.width])


def _block_logits(
    network: LayersNetwork, parameters: Floats, corners: np.ndarray, size: np.ndarray, nodes: "_Nodes"
) -> Floats:
    """(M, side, side) of blocks: interpolated, or where what the nodes say of each other is off, at every pixel."""
    count = len(corners)
    values = network.logits(nodes.points(corners, size), parameters[None]).reshape(count, len(nodes.at), -1)
    found = nodes.rows @ values @ nodes.rows.T
    # What fewer nodes say of the others, weighted by how steep the logistic function is there: an upper bound in
    # practice of how far the others' interpolation is off between them, as errors fall by an order with each node.
    guess = nodes.fewer @ values[:, ::2, ::2] @ nodes.fewer.T
    steep = sigmoid(values) * (1 - sigmoid(values))
    wrong = np.flatnonzero((np.abs(guess - values) * steep).max(axis=(1, 2)) > _FEWER_OFF * TOLERANCE)
    if len(wrong):
        pixels = _Nodes.of_pixels(nodes.side)
        all_of_them = network.logits(pixels.points(corners[wrong], size), parameters[None])
        found[wrong] = all_of_them.reshape(-1, *found.shape[1:])
    return np.asarray(found, np.float32)


_FEWER_OFF = 16.0
"""How much farther off 3 nodes are than 5, at least, where both converge."""


class _Nodes:
    """Places along a block's side, px from its corner, and Lagrange's polynomials through them at pixels' centres."""

    def __init__(self, count: int, side: int, at: Floats | None = None) -> None:
        self.side = side
        # Nodes of Chebyshev-Lobatto, which include the ends: every second of them are such nodes again.
        self.at = side * 0.5 * (1 - np.cos(np.pi * np.arange(count) / (count - 1))) if at is None else at
        if at is None:
            self.rows = _lagrange(self.at, np.arange(side) + 0.5)
            self.fewer = _lagrange(self.at[::2], self.at)

    @classmethod
    def of_pixels(cls, side: int) -> "_Nodes":
        """Pixels' centres themselves."""
        return cls(side, side, np.arange(side) + 0.5)

    def points(self, corners: np.ndarray, size: np.ndarray) -> Floats:
        """(M * count * count, 2), block by block, of blocks whose corners (M, 2) are at these pixels."""
        place = np.empty((len(corners), len(self.at), len(self.at), 2))
        place[..., 0] = (corners[:, :1] + self.at)[:, None, :]
        place[..., 1] = (corners[:, 1:] + self.at)[:, :, None]
        return (2 * place / size - 1).reshape(-1, 2).astype(np.float32)


def _lagrange(nodes: np.ndarray, at: np.ndarray) -> Floats:
    """(len(at), len(nodes)): value of each node's polynomial."""
    found = np.ones((len(at), len(nodes)))
    for j, node in enumerate(nodes):
        for k, other in enumerate(nodes):
            if k != j:
                found[:, j] *= (at - other) / (node - other)
    return found.astype(np.float32)
