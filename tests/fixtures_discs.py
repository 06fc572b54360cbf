"""Layers whose masks are discs: what is where on the page of the layer editor is then known without a network."""

from types import SimpleNamespace

import numpy as np

from perception.layers.layer import Decomposition, Layer

SIZE = 160, 120
PLACES = {
    "sea": (80, 200, 160, (0.1, 0.4, 0.8)),
    "sun": (120, 30, 18, (1.0, 0.8, 0.0)),
    "boat": (50, 60, 30, (0.8, 0.2, 0.1)),
    "sail": (60, 50, 12, (1.0, 1.0, 1.0)),
}
"""Of each disc, from the lowest: centre and radius, px of a picture of SIZE, and colour."""


class DiscNetwork:
    """P = 3: centre and radius, px of a picture of SIZE. As much of `LayersNetwork` as drawing takes."""

    def __init__(self, name: str = "discs") -> None:
        self.manifest = SimpleNamespace(name=name, parameters=3)

    def logits(self, points, parameters):
        """See `LayersNetwork.logits`."""
        px = (np.asarray(points, np.float32) + 1) / 2 * SIZE
        away = np.linalg.norm(px[None] - np.asarray(parameters, np.float32)[:, None, :2], axis=2)
        return np.asarray(4 * (np.asarray(parameters, np.float32)[:, 2:] - away), np.float32)


def discs(transparent: bool = True) -> Decomposition:
    """A sea, a sun, and a boat with a sail."""
    layers = tuple(
        Layer(np.array((x, y, radius), np.float32), np.array(colour, np.float32), name)
        for name, (x, y, radius, colour) in PLACES.items()
    )
    return Decomposition("discs", *SIZE, layers, transparent)
