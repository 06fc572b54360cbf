"""What a picture is made of: layers of one colour, each behind a mask that is a function of x and y."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from perception.layers.grid import Floats


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer. parameters: (P,) of its mask. colour: (3,) RGB in [0, 1]. opacity: its mask is multiplied with it."""

    parameters: Floats
    colour: Floats
    name: str = ""
    opacity: float = 1.0
    visible: bool = True


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
        """(T, P)."""
        return np.stack([one.parameters for one in self.layers])

    @property
    def colours(self) -> Floats:
        """(T, 3)."""
        return np.stack([one.colour for one in self.layers])

    @property
    def opacities(self) -> Floats:
        """(T,), 0 for layers that are not shown."""
        return np.array([one.opacity * one.visible for one in self.layers], np.float32)

    def with_colours(self, colours: Floats) -> Self:
        """The same layers in other colours (T, 3)."""
        pairs = zip(self.layers, np.asarray(colours, np.float32), strict=True)
        return replace(self, layers=tuple(replace(layer, colour=colour) for layer, colour in pairs))
