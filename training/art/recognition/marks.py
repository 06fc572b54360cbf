"""Features of whole pictures of marks: of a query in eight orientations at one scale, of a reference at several."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.art.backbone import Backbone, digest
from training.art.extractor import Extractor
from training.art.feature_store import FeatureStore
from training.art.features import Features, grid_shape
from training.art.index import default_cache, network_of
from training.art.network import Engine, Network, fastest_engine
from training.art.pictures import Picture
from training.art.recognition.lines import lines_of
from training.art.recognition.orientations import ORIENTATIONS, oriented

QUERY_CELLS = 22
"""Along the longest side of a query, as Shen et al. have it for watermarks."""
REFERENCE_CELLS = (28, 25, 22, 19, 16)
"""Along that of a reference, of each of its grids: its mark may be that much larger or smaller than the query's."""
_METHOD = 1
"""Changes with what makes these features, so that those in caches are not taken for new ones."""


@dataclass(frozen=True, eq=False)
class Query:
    """A picture as it is compared with references."""

    grids: tuple[NDArray[np.float16], ...]
    """Of each of `ORIENTATIONS` one (h, w, C) of unit vectors, h and w exchanged for an odd number of quarters."""
    size: tuple[int, int]
    """(width, height) px of the picture, upright."""


class MarkExtractor(Extractor):
    """A backbone's network that makes features of marks."""

    def __init__(self, network: Network, weights: str, stride: int) -> None:
        """See `Extractor`."""
        super().__init__(network, weights, stride)
        self.key = key(weights, network.engine)

    def features(self, picture: Picture) -> Features:
        """Of a reference, at all scales of `REFERENCE_CELLS`. Raises EngineError as `Extractor.features` does."""
        lines = Picture(picture.size, lines_of(picture.rgb))
        grids = (self._grid(lines, grid_shape(picture.size, cells)) for cells in REFERENCE_CELLS)
        return Features(picture.size, tuple(grids))

    def query(self, picture: Picture) -> Query:
        """Of a query. Raises EngineError as `features` does."""
        lines = lines_of(picture.rgb)
        sizes = [picture.size[::-1] if one.quarters % 2 else picture.size for one in ORIENTATIONS]
        seen = (
            Picture(size, np.ascontiguousarray(oriented(lines, one)))
            for one, size in zip(ORIENTATIONS, sizes, strict=True)
        )
        return Query(tuple(self._grid(one, grid_shape(one.size, QUERY_CELLS)) for one in seen), picture.size)


def key(weights: str, engine: str) -> str:
    """What tells features of one making from those of another, in hexadecimal digits."""
    made = ("marks", _METHOD, weights, engine, REFERENCE_CELLS)
    return hashlib.sha256(repr(made).encode()).hexdigest()


def open_marks(
    backbone: Backbone, cache: Path | None, engine: Engine | None = None
) -> tuple[FeatureStore, MarkExtractor]:
    """The cache of a backbone's features of references, and what makes them; as `training.art.index.open_store`.

    The backbone's features are to be standardised, since drawings and photographs differ most in their medium.
    """
    chosen, sha = engine or fastest_engine(), digest(backbone)
    made_by = key(sha, chosen)
    store = FeatureStore(cache or default_cache() / f"marks-{made_by[:16]}", made_by, REFERENCE_CELLS)
    return store, MarkExtractor(Network(network_of(store, backbone), chosen), sha, backbone.stride)
