"""The pictures of a collection that there are features of, looked through for a box or compared with each other.

Few are compared one by one. Of more, a coarse index picks those that are likely. Pictures may be added while others are
looked for, from other threads.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import overload

import numpy as np

from perception.errors import BlockworldError
from training.art.boxes import overlap
from training.art.coarse import CoarseIndex
from training.art.coarse_file import CoarseFile
from training.art.features import Features
from training.art.regions import Region
from training.art.search import Detection, SearchConfig, search
from training.art.shortlist import FeaturesByKey, Pairs, all_pairs, build_index, shortlist, shortlist_by_tiles

EXHAUSTIVE = 100
"""So many pictures are compared one by one, without an index."""
LIKELY = 60
"""Of more pictures, so many are looked at for a box."""
MOST_TILED = 300
"""Neighbours of so many pictures are found by tiles, which is more complete; of more by an index of regions, whose time
for a picture hardly grows with their number."""
SAME_PLACE = 0.3
"""A box found in the picture that was asked about, and overlapping what was asked for by more, is no news."""


@dataclass(frozen=True)
class KeptFeatures:
    """Features by key, of which one sentence tells when they are gone."""

    features: FeaturesByKey

    def __getitem__(self, key: str) -> Features:
        """Raises BlockworldError where there are none."""
        try:
            return self.features[key]
        except KeyError:
            raise BlockworldError("features are missing in the cache, or damaged: index the folder again.") from None


@dataclass(frozen=True, eq=False)
class NamedFeatures(Mapping[str, Features]):
    """Features by the names of pictures, read when they are asked for."""

    features: KeptFeatures
    keys_by_name: Mapping[str, str]

    def __getitem__(self, name: str) -> Features:
        """Raises KeyError for a name that there is not, BlockworldError where the features are gone."""
        return self.features[self.keys_by_name[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_by_name)

    def __len__(self) -> int:
        return len(self.keys_by_name)


class Gallery(Sequence[Features]):
    """Features by number, in the order in which pictures were added."""

    def __init__(self, features: FeaturesByKey, kept: CoarseFile | None = None) -> None:
        """kept: where the coarse index is kept, if it is."""
        self.features = KeptFeatures(features)
        self._keys: list[str] = []
        self._kept, self._changed = kept, False
        self._coarse: CoarseIndex | None = None
        self._numbers: dict[str, int] = {}
        """Of pictures in the coarse index."""
        self._lock = Lock()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all pictures so far."""
        return tuple(self._keys)

    def add(self, key: str) -> None:
        """Add a picture that there are features of."""
        self._keys.append(key)

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, number: int) -> Features: ...

    @overload
    def __getitem__(self, number: slice) -> list[Features]: ...

    def __getitem__(self, number: int | slice) -> Features | list[Features]:
        """Raises BlockworldError where the features are gone."""
        if isinstance(number, slice):
            return [self.features[key] for key in self._keys[number]]
        return self.features[self._keys[number]]

    def search(
        self, region: Region, key: str | None = None, config: SearchConfig | None = None, verify: bool = True
    ) -> list[Detection]:
        """Where a region is in all pictures, best first; what it is itself is left out.

        key: the picture that it is of. Raises BlockworldError where features are gone.
        """
        numbers: Sequence[int] = range(len(self))
        if len(self) > EXHAUSTIVE:
            with self._lock:
                keys = self.keys
                scores = self._caught_up().scores(region)[[self._numbers[key] for key in keys]]
            numbers = sorted(np.argsort(-scores, kind="stable")[:LIKELY].tolist())
        own = self._keys.index(key) if key in self._keys else None
        return [
            one
            for one in search(region, self, numbers, config, verify)
            if one.picture != own or overlap(one.box, region.box) <= SAME_PLACE
        ]

    def pairs(self, neighbours: int, progress: bool = False) -> Pairs:
        """Those worth comparing in full: all, or of many pictures each with so many of its nearest.

        Raises BlockworldError where features are gone, or, of very many pictures, faiss is missing.
        """
        keys = self.keys
        if len(keys) <= neighbours + 1:
            return all_pairs(len(keys))
        if len(keys) > MOST_TILED:
            index = build_index(keys, self.features, progress=progress)
            return shortlist(keys, self.features, index, neighbours, progress)
        with self._lock:
            coarse = self._caught_up().selected([self._numbers[key] for key in keys])
            return shortlist_by_tiles(keys, self.features, coarse, neighbours, progress)

    def catch_up(self) -> None:
        """Take what was added into the coarse index where there is to be one, so that a search need not."""
        if len(self) > EXHAUSTIVE:
            with self._lock:
                self._caught_up()

    def keep(self) -> None:
        """Keep the coarse index, once all pictures were added; without pictures that there are no more."""
        if self._kept is None or len(self) <= EXHAUSTIVE:
            return
        with self._lock:
            index = self._caught_up()
            if len(index) > len(self):
                self._coarse = index = index.selected([self._numbers[key] for key in self._keys])
                self._numbers = {key: number for number, key in enumerate(self._keys)}
                self._changed = True
            if self._changed:
                with suppress(OSError):  # without it, it is made anew
                    self._kept.write(index, list(self._numbers))
                self._changed = False

    def _caught_up(self) -> CoarseIndex:
        if self._coarse is None:
            self._coarse = self._found() or CoarseIndex.learned(self[:EXHAUSTIVE])
        for key in self.keys:
            if key not in self._numbers:
                self._numbers[key] = self._coarse.add(self.features[key])
                self._changed = True
        return self._coarse

    def _found(self) -> CoarseIndex | None:
        """What was kept, unless it learned from other pictures than these."""
        if self._kept is None or (found := self._kept.read()) is None:
            return None
        index, keys = found
        if 2 * len(self._keys) > 3 * len(set(keys) & set(self._keys)):
            return None
        self._numbers = {key: number for number, key in enumerate(keys)}
        return index
