"""All masks of an index, and which of them are most like one."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perception.errors import LayersError
from perception.layers.descriptors import By, distances
from perception.layers.grid import Floats
from perception.layers.kept import KeptLayers, LayersStore

_AT_ONCE = 4096


@dataclass(frozen=True)
class Entry:
    """A mask: the name of its picture below the folder, the digest of that, and which layer it is of, from 0."""

    picture: str
    digest: str
    layer: int


@dataclass(frozen=True)
class Hit:
    """A mask that was found."""

    number: int
    """Among all masks of the index."""
    entry: Entry
    distance: float


@dataclass(frozen=True, eq=False)
class MaskIndex:
    """N masks. parameters: (N, P). shapes: (N, CIRCLES, ANGLES) in half precision, zeros for a mask without a shape.
    colours: (N, 3). small: (h, w) uint8 each. missing: names of pictures whose layers are not there any more."""

    entries: list[Entry]
    parameters: Floats
    shapes: NDArray[np.float16]
    colours: Floats
    small: list[NDArray[np.uint8]]
    missing: list[str]

    @classmethod
    def of(cls, store: LayersStore) -> Self:
        """All that a store lists. Raises LayersError where there is no mask."""
        entries, kept, missing = [], [], []
        for one in store.listing().pictures:
            try:
                found = store[one.digest]
            except KeyError:
                missing.append(one.name)
                continue
            if found.made.layers:
                kept.append(found)
                entries += [Entry(one.name, one.digest, layer) for layer in range(len(found.made.layers))]
        if not entries:
            raise LayersError(f"there is no mask in the index {store.folder}: index a folder of pictures again.")
        return cls(
            entries,
            np.concatenate([one.made.parameters for one in kept]),
            np.concatenate([one.shapes.astype(np.float16) for one in kept]),
            np.concatenate([one.made.colours for one in kept]),
            [mask for one in kept for mask in one.small],
            missing,
        )

    def ranked(self, query: KeptLayers, layer: int, by: By, most: int, but: str = "") -> list[Hit]:
        """The masks most like a layer's, from 0, the nearest first; of equal ones the first in the index. but: digest
        of the picture that the layer itself is of, which is left out.

        Raises LayersError where the layer has no shape to compare.
        """
        if by != "parameters" and not query.shapes[layer].any():
            raise LayersError(
                f"the mask of layer {layer + 1} is too small or too faint to have a shape: take another layer, or "
                "compare by parameters."
            )
        found = np.concatenate([
            self._distances(query, layer, by, slice(first, first + _AT_ONCE))
            for first in range(0, len(self.entries), _AT_ONCE)
        ])  # fmt: skip
        own = [k for k, one in enumerate(self.entries) if (one.digest, one.layer) == (but, layer)]
        found[own] = np.inf
        order = np.argsort(found, kind="stable")[:most]
        return [Hit(int(k), self.entries[k], float(found[k])) for k in order if np.isfinite(found[k])]

    def _distances(self, query: KeptLayers, layer: int, by: By, some: slice) -> Floats:
        if by == "parameters":
            return distances(query.made.layers[layer].parameters, self.parameters[some], by)
        others = self.shapes[some].astype(np.float32)
        found = distances(query.shapes[layer], others, by)
        found[~others.any(axis=(1, 2))] = np.inf
        return found
