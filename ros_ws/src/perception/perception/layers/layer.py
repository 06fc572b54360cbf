"""What a picture is made of: layers of one colour, each behind a mask that is a function of x and y.

What is done to a layer by hand is kept beside what was found, so that it can be taken back: a lightness, a second
colour that the first one fades to, and masks of other layers that were joined with it.
"""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from perception.layers.grid import Floats


@dataclass(frozen=True, eq=False)
class Gradient:
    """A colour (3,) that a layer's own fades to along a line. start, end: places (x, y) as masks take them, in [-1, 1]
    within the picture; beyond them the colours stay as they are there. Lines of one colour are perpendicular to it in
    px."""

    colour: Floats
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer. parameters: (P,) of its mask. colour: (3,) RGB in [0, 1]. opacity: its mask is multiplied with it.

    lightness: in [-1, 1]; from 0 the colours go straight to black at -1, and to white at 1. joined: parameters (P,) of
    more masks; a layer is where any of its masks is, 1 minus the product of 1 - mask.
    """

    parameters: Floats
    colour: Floats
    name: str = ""
    opacity: float = 1.0
    visible: bool = True
    lightness: float = 0.0
    gradient: Gradient | None = None
    joined: tuple[Floats, ...] = ()

    @property
    def masks(self) -> Floats:
        """(M, P), of all its masks."""
        return np.stack([self.parameters, *self.joined])

    @property
    def paint(self) -> Floats:
        """(3,) or, with a gradient, (2, 3): the colours that are seen, where the line starts and where it ends."""
        own = np.asarray(self.colour, np.float32)
        colours = own if self.gradient is None else np.stack([own, self.gradient.colour])
        return lightened(colours, self.lightness)

    @property
    def plain(self) -> bool:
        """Whether it is one mask in one colour."""
        return self.gradient is None and not self.joined


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Layers from the lowest to the topmost, of a picture of `width` x `height` px, on nothing, or on black where the
    network has three channels. errors: mean absolute error before the first layer, and after each, in [0, 1]."""

    network: str
    """Name of the bundle whose masks these are."""
    width: int
    height: int
    layers: tuple[Layer, ...]
    transparent: bool
    errors: tuple[float, ...] = field(default=())

    @property
    def parameters(self) -> Floats:
        """(T, P), of the first mask of each layer."""
        return np.stack([one.parameters for one in self.layers])

    @property
    def colours(self) -> Floats:
        """(T, 3) as they are seen, of gradients the mean."""
        return np.stack([one.paint.reshape(-1, 3).mean(axis=0) for one in self.layers])

    @property
    def opacities(self) -> Floats:
        """(T,), 0 for layers that are not shown."""
        return np.array([one.opacity * one.visible for one in self.layers], np.float32)

    def with_colours(self, colours: Floats) -> Self:
        """The same layers in these colours (T, 3) and no others."""
        pairs = zip(self.layers, np.asarray(colours, np.float32), strict=True)
        plain = (replace(layer, colour=colour, lightness=0.0, gradient=None) for layer, colour in pairs)
        return replace(self, layers=tuple(plain))


def lightened(colours: Floats, lightness: float) -> Floats:
    """Colours (..., 3) of which the part |lightness| is black where it is below 0, and white where it is above."""
    return np.asarray(colours * (1 - abs(lightness)) + max(0.0, lightness), np.float32)
