"""What the editor has open: layers, and their masks as pixels, computed once.

The page names masks by their number, and never their parameters: what it sends stays small, and can name no others.
"""

import gzip
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from apps.layers.requests import LayerRequest
from perception.errors import LayersError
from perception.layers.decompose import MOST_LAYERS
from perception.layers.files import scaled_size
from perception.layers.grid import Floats
from perception.layers.layer import Decomposition, Layer
from perception.layers.network import LayersNetwork
from perception.layers.project import part_of
from perception.layers.rendering import mask_at

LEAST_SIDE_PX, MOST_SIDE_PX = 1280, 3840
"""Of the longer side of masks: small pictures are shown larger than they were, since masks have no resolution."""
MOST_MASK_BYTES = 400_000_000
"""Of all masks together, a byte a pixel: the page holds them."""


class Document:
    """A picture's layers. size: of masks, px; by default the picture's within limits, as its number of masks allows."""

    def __init__(
        self, name: str, made: Decomposition, network: LayersNetwork, longer: int | None = None, saves: bool = False
    ) -> None:
        self.id = secrets.token_hex(16)
        self.name, self.made, self.network, self.saves = name, made, network, saves
        self._parameters: list[Floats] = [mask for one in made.layers for mask in one.masks]
        wanted = longer or min(max(made.width, made.height, LEAST_SIDE_PX), MOST_SIDE_PX)
        width, height = scaled_size(made.width, made.height, wanted)
        share = min(1.0, (MOST_MASK_BYTES / max(1, width * height * self.count)) ** 0.5)
        self.size = max(1, int(width * share)), max(1, int(height * share))
        self.masks: list[bytes] = []
        """As many as are computed: (H, W) uint8, row by row, by gzip."""
        self._layers = self._numbered()

    @property
    def count(self) -> int:
        """Of masks, which are layers before any were joined."""
        return len(self._parameters)

    def add_mask(self) -> None:
        """Compute the next."""
        layer = Layer(self._parameters[len(self.masks)], np.zeros(3, np.float32))
        mask = np.rint(255 * mask_at(self.network, layer, *self.size)).astype(np.uint8)
        self.masks.append(gzip.compress(mask.tobytes(), 1))

    def shown(self) -> dict[str, Any]:
        """For the page."""
        return {
            "id": self.id,
            "name": self.name,
            "picture": [self.made.width, self.made.height],
            "size": self.size,
            "transparent": self.made.transparent,
            "masks": self.count,
            "ready": len(self.masks),
            "saves": self.saves,
            "layers": self._layers,
        }

    def edited(self, layers: Sequence[LayerRequest]) -> Decomposition:
        """The document as the page has it. Raises LayersError for masks that it does not have."""
        numbers = [number for one in layers for number in one.masks]
        if len(numbers) > MOST_LAYERS or any(number >= self.count for number in numbers):
            raise LayersError("These layers have masks that this document does not have: reload the page.")
        made = tuple(one.layer([self._parameters[number] for number in one.masks]) for one in layers)
        return replace(self.made, layers=made, errors=())

    def keep(self, layers: Sequence[LayerRequest]) -> None:
        """What the page is given from now on: it was saved."""
        self._layers = [one.model_dump() for one in layers]

    def _numbered(self) -> list[dict[str, Any]]:
        found, first = [], 0
        for one in self.made.layers:
            found.append(part_of(one) | {"masks": list(range(first, first + len(one.masks)))})
            first += len(one.masks)
        return found
