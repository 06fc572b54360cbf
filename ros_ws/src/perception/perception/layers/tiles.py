"""Masks over tiles of a picture, from their logits at few points.

A mask's logit is smooth, so that over a tile it is nearly a polynomial: it is evaluated at 9 x 9 nodes of
Chebyshev-Lobatto, and what the two highest orders of its Chebyshev series contribute says how far off the polynomial
may be (Trefethen, "Approximation Theory and Approximation Practice", 2013, chapters 4 and 8). Where that is more than
the tolerance, the tile is halved both ways, and at last evaluated at every pixel. Tiles in which 5 x 5 of the nodes
find a mask 0 or 1 throughout cost these alone, and those below a layer that hides everything nothing more.

What is found of a tile depends on nothing outside of it, so that parts of a picture are equal to the whole.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from perception.layers.grid import Floats
from perception.layers.network import LayersNetwork

TOLERANCE = 1 / 1024
"""Of a mask in [0, 1]: a quarter of a step of 8 bits."""
_NODES, _COARSE = 9, 5
"""Along a tile's side: from which it is interpolated, and, every second of them, where a mask is found 0 or 1."""
_TILES, _LARGEST = 16, 256
"""A picture has about so many tiles across and down, of at most so many pixels, which caches hold."""
_FEWEST = 256
"""Pixels of a tile, of which 81 nodes are a third."""
_SATURATED = 8.0
"""A logit whose mask is within 1/2981 of 0 or 1."""
_SPREAD = 1.0
"""How far beyond the nodes' values a logit may go, in ranges of these."""
_LAST = 0.5
"""Of the tolerance, what the last two orders of a series may contribute; what is left out was then found smaller than
the tolerance for masks of 20 times the detail of trained ones too."""
EMPTY, MIXED, FULL, HIDDEN = 0, 1, 2, 3
Corners = NDArray[np.int64]
Places = NDArray[np.float64]


def tile_of(width: int, height: int) -> tuple[int, int] | None:
    """Sides, px, of the tiles of a picture of this size; None where tiles would not save anything."""
    sides = [min(_LARGEST, 1 << max(0, round(np.log2(length / _TILES)))) for length in (width, height)]
    return (sides[0], sides[1]) if sides[0] * sides[1] >= _FEWEST else None


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a tile, px from the tile's corner. values: (9, 9) at its nodes, one number of all of it, or None where
    every pixel is to be evaluated."""

    left: int
    top: int
    width: int
    height: int
    values: Floats | float | None


class TiledMasks:
    """Masks of parameters (T, P), from the lowest layer to the topmost, over M tiles of a picture."""

    def __init__(
        self, network: LayersNetwork, parameters: Floats, opacities: Floats, size: tuple[int, int],
        tile: tuple[int, int], corners: Corners,
    ) -> None:
        """size and tile: width and height, px. corners: (M, 2), x and y of the tiles' upper left corners, px."""
        self._network, self._parameters, self._size, self.tile = network, parameters, size, tile
        self.corners = corners
        coarse = self._evaluated(parameters, corners, tile, _grid(_COARSE))
        coarse = coarse.reshape(len(parameters), len(corners), -1)
        self.states = _states(coarse)
        """(T, M): EMPTY, FULL, MIXED, or HIDDEN below a layer that is full and opaque."""
        hides = (self.states == FULL) & (opacities >= 1)[:, None]
        above = np.cumsum(hides[::-1], axis=0)[::-1] - hides
        self.states[above > 0] = HIDDEN
        self._values: dict[tuple[int, int], Floats] = {}
        self._parts: dict[tuple[int, int], list[_Part]] = {}
        for layer, states in enumerate(self.states):
            mixed = np.flatnonzero(states == MIXED)
            if len(mixed):
                values, near = self._interpolated(layer, corners[mixed], tile, coarse[layer, mixed])
                self._values |= {(layer, int(m)): one for m, one in zip(mixed[near], values[near], strict=True)}
                self._divide(layer, mixed[~near])

    def mask(self, layer: int, number: int, out: Floats) -> None:
        """A layer's mask of a tile that is MIXED, into (height, width)."""
        whole = self._values.get((layer, number))
        if whole is not None:
            _interpolate(whole, out)
        else:
            self._assemble(layer, number, out)
        # By its hyperbolic tangent, which takes half as long as by an exponential and a division.
        np.multiply(out, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)

    def _assemble(self, layer: int, number: int, out: Floats) -> None:
        each = []
        for part in self._parts[layer, number]:
            place = out[part.top : part.top + part.height, part.left : part.left + part.width]
            if part.values is None:
                each.append((part, place))
            elif isinstance(part.values, float):
                place[:] = part.values
            else:
                _interpolate(part.values, place)
        if each:
            corners = np.array([(part.left, part.top) for part, _ in each]) + self.corners[number]
            side = each[0][0].width, each[0][0].height  # of all: only the smallest are evaluated so
            found = self._evaluated(self._parameters[layer][None], corners, side, _pixels(*side))
            for values, (_, place) in zip(found.reshape(len(each), *side[::-1]), each, strict=True):
                place[:] = values

    def _divide(self, layer: int, numbers: NDArray[np.int64]) -> None:
        """Find parts of tiles over which polynomials are too far off."""
        (width, height), origins = self.tile, np.zeros((len(numbers), 2), np.int64)
        while len(numbers):
            if width * height < 4 * _FEWEST:
                for number, (left, top) in zip(numbers, origins.tolist(), strict=True):
                    self._keep(layer, number, _Part(left, top, width, height, None))
                return
            width, height = width // 2, height // 2
            quarters = np.array([[0, 0], [width, 0], [0, height], [width, height]])
            origins = (origins[:, None] + quarters).reshape(-1, 2)
            numbers = np.repeat(numbers, 4)
            places, side = self.corners[numbers] + origins, (width, height)
            coarse = self._evaluated(self._parameters[layer][None], places, side, _grid(_COARSE))
            coarse = coarse.reshape(len(numbers), -1)
            states = _states(coarse)
            for k in np.flatnonzero(states != MIXED):
                certain = 2 * _SATURATED * (1 if states[k] == FULL else -1)
                self._keep(layer, numbers[k], _Part(origins[k, 0], origins[k, 1], width, height, certain))
            mixed = np.flatnonzero(states == MIXED)
            values, near = self._interpolated(layer, places[mixed], side, coarse[mixed])
            for k, one in zip(mixed[near], values[near], strict=True):
                self._keep(layer, numbers[k], _Part(origins[k, 0], origins[k, 1], width, height, one))
            numbers, origins = numbers[mixed[~near]], origins[mixed[~near]]

    def _keep(self, layer: int, number: int, part: _Part) -> None:
        self._parts.setdefault((layer, int(number)), []).append(part)

    def _interpolated(
        self, layer: int, corners: Corners, side: tuple[int, int], coarse: Floats
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """(K, 9, 9) logits at the nodes, of which coarse (K, 25) are known, and whether these are enough."""
        fine = np.empty((len(corners), _NODES * _NODES), np.float32)
        known = _known()
        fine[:, known] = coarse
        others = self._evaluated(self._parameters[layer][None], corners, side, _grid(_NODES)[~known])
        fine[:, ~known] = others.reshape(len(corners), -1)
        values = fine.reshape(-1, _NODES, _NODES)
        series = np.abs(_to_series() @ values @ _to_series().T)
        last = series.sum(axis=(1, 2)) - series[:, :-2, :-2].sum(axis=(1, 2))
        low, high = fine.min(axis=1), fine.max(axis=1)
        nearest = np.maximum(0, np.maximum(low, -high) - last)  # to 0, where the logistic function is steepest
        steep = 0.5 / (1 + np.cosh(np.minimum(nearest, 60)))
        return values, last * steep <= _LAST * TOLERANCE

    def _evaluated(self, parameters: Floats, corners: Corners, side: tuple[int, int], inside: Places) -> Floats:
        """(T, M * K) logits of M places at K points (K, 2) in [0, 1] of them."""
        place = corners[:, None] + inside * np.array(side)
        points = (2 * place / np.array(self._size) - 1).reshape(-1, 2).astype(np.float32)
        return self._network.logits(points, parameters)


def _states(values: Floats) -> NDArray[np.int8]:
    """(..., K) logits -> (...)."""
    low, high = values.min(axis=-1), values.max(axis=-1)
    margin = _SATURATED + _SPREAD * (high - low)
    return np.where(low > margin, FULL, np.where(high < -margin, EMPTY, MIXED)).astype(np.int8)


def _interpolate(values: Floats, out: Floats) -> None:
    """(9, 9) at nodes -> (height, width) at pixels' centres."""
    height, width = out.shape
    # In parts, since a matrix library shares out larger products among threads that wait for each other.
    down = _to_pixels(height).reshape(-1, min(height, 32), _NODES)
    np.matmul(down, values @ _to_pixels(width).T, out=out.reshape(len(down), -1, width))


@cache
def _along(count: int) -> Places:
    """Nodes of Chebyshev-Lobatto in [0, 1], which include the ends: every second of them are such nodes again."""
    return 0.5 * (1 - np.cos(np.pi * np.arange(count) / (count - 1)))


@cache
def _grid(count: int) -> Places:
    """(count * count, 2), row by row."""
    at = _along(count)
    return np.stack(np.broadcast_arrays(at[None], at[:, None]), axis=2).reshape(-1, 2)


@cache
def _pixels(width: int, height: int) -> Places:
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return np.stack(np.broadcast_arrays(x[None], y[:, None]), axis=2).reshape(-1, 2)


@cache
def _known() -> NDArray[np.bool_]:
    """Which of the nodes are coarse ones too."""
    found = np.zeros((_NODES, _NODES), bool)
    found[::2, ::2] = True
    return found.ravel()


@cache
def _to_series() -> Floats:
    """(9, 9): values at nodes to coefficients of Chebyshev's polynomials."""
    places = np.polynomial.chebyshev.chebvander(2 * _along(_NODES) - 1, _NODES - 1)
    return np.linalg.inv(places).astype(np.float32)


@cache
def _to_pixels(count: int) -> Floats:
    """(count, 9): values at nodes to those at pixels' centres."""
    at = np.polynomial.chebyshev.chebvander((2 * np.arange(count) + 1) / count - 1, _NODES - 1)
    places = np.polynomial.chebyshev.chebvander(2 * _along(_NODES) - 1, _NODES - 1)
    return (at @ np.linalg.inv(places)).astype(np.float32)
