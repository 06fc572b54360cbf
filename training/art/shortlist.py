"""Which pairs of a collection are worth comparing in full: each picture with its nearest by an index of regions."""

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

import numpy as np
from tqdm import tqdm

from training.art.coarse import CoarseIndex
from training.art.features import Features
from training.art.region_index import RegionIndex, RegionIndexConfig, picture_windows
from training.art.regions import Region

LEARNED_FROM = 300
"""Pictures that the index learns from, at most."""

TILED = 36
"""Cells along the longest side of the grid that tiles are cut from."""
BEST_TILES = 3
"""Tiles of a picture that count."""

Pairs = list[tuple[int, int]]
"""Numbers of pictures, the smaller first; in order, none twice."""


class FeaturesByKey(Protocol):
    """Where features are by the key of their picture: a dictionary, or a store on disk."""

    def __getitem__(self, key: str) -> Features: ...


def all_pairs(count: int) -> Pairs:
    """Every pair: what a shortlist is measured against."""
    return list(combinations(range(count), 2))


def build_index(
    keys: Sequence[str], features: FeaturesByKey, config: RegionIndexConfig | None = None, progress: bool = False
) -> RegionIndex:
    """An index of all pictures, in the order of their keys; it learns from some of them, evenly spread."""
    sample = keys[:: max(1, -(-len(keys) // LEARNED_FROM))]
    index = RegionIndex.learned((features[key] for key in sample), len(keys), config)
    for key in tqdm(keys, unit=" pictures", desc="index of regions", disable=not progress):
        index.add(features[key])
    return index


def shortlist(
    keys: Sequence[str], features: FeaturesByKey, index: RegionIndex, neighbours: int, progress: bool = False
) -> Pairs:
    """Of each picture the pairs with those `neighbours` that agree most with it, by the index, in either direction."""
    pairs: set[tuple[int, int]] = set()
    for number, key in enumerate(tqdm(keys, unit=" pictures", desc="shortlist", disable=not progress)):
        windows = picture_windows(features[key], index.config.asked, index.config)
        votes = index.votes(windows, number)
        nearest = np.argsort(-votes, kind="stable")[:neighbours]
        pairs.update((min(number, int(one)), max(number, int(one))) for one in nearest if votes[one] > 0)
    return sorted(pairs)


def shortlist_by_tiles(
    keys: Sequence[str], features: FeaturesByKey, index: CoarseIndex, neighbours: int, progress: bool = False
) -> Pairs:
    """The same by a coarse index of the same pictures: slower, 2 ms a pair, and for as many pairs more complete.

    Each picture's tiles are looked for in all others. A picture counts by how many deviations its cosine is above those
    of the others, so that what fits everywhere counts nowhere; by the sum over its best tiles.
    """
    pairs: set[tuple[int, int]] = set()
    for number, key in enumerate(tqdm(keys, unit=" pictures", desc="shortlist", disable=not progress)):
        scores = np.stack([index.scores(tile) for tile in Region.tiles(features[key], TILED)])
        others = np.delete(scores, number, axis=1)
        if not others.shape[1]:
            continue
        above = (scores - others.mean(axis=1, keepdims=True)) / (others.std(axis=1, keepdims=True) + 1e-3)
        total = np.sort(above, axis=0)[-BEST_TILES:].sum(axis=0)
        total[number] = -np.inf
        nearest = np.argsort(-total, kind="stable")[: min(neighbours, len(keys) - 1)]
        pairs.update((min(number, int(one)), max(number, int(one))) for one in nearest)
    return sorted(pairs)
