"""Image retrieval: the pictures of a collection that have most in common with one, as LTLL and Oxford have it.

Shen, Efros, Aubry, CVPR 2019, section 4.3: pictures are ranked by the score of discovery, equation 2.8, of the best
detail that both have. Of many pictures, a first pass over the coarse grids picks those that are looked at in full.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.art.boxes import Box, Size
from training.art.discovery import Discovery, DiscoveryConfig, Source, best_detail
from training.art.features import Features
from training.art.matching import single
from training.art.search import Detection


@dataclass(frozen=True)
class RetrievalConfig:
    """How pictures are ranked."""

    exhaustive: int = 100
    """So many pictures are all looked at in full."""
    likely: int = 60
    """Of more, so many."""
    first_cells: int = 20
    """Cells along the longest side of the grid that the first pass takes of the source; of the targets, those at most
    twice as fine."""
    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)


def retrieve(
    asked: Features, collection: Sequence[Features], pictures: Iterable[int], config: RetrievalConfig | None = None,
    verify: bool = True,
) -> list[Detection]:
    """Those pictures of a collection, best first, each with the box of what it has in common with the one asked about.

    The score is the cosine of the two pictures' mean features, and the box all of the picture; where a detail of both
    is found, 1 and the score of that, so that these come first. verify: whether details are looked for.
    """
    config = config or RetrievalConfig()
    mean = mean_feature(asked)
    alike = {number: float(mean @ mean_feature(collection[number])) for number in pictures}
    details = _details(asked, collection, list(alike), config) if verify else {}
    found = [
        Detection(number, one.target_box, 1 + one.score, one)
        if (one := details.get(number)) is not None
        else Detection(number, whole(collection[number].size), cosine)
        for number, cosine in alike.items()
    ]
    return sorted(found, key=lambda one: (-one.score, one.picture))


def mean_feature(features: Features) -> NDArray[np.float32]:
    """(C,) the mean of a picture's coarsest grid, as a unit vector."""
    mean = single(features.grids[-1]).mean(axis=(0, 1))
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)


def whole(size: Size) -> Box:
    """The box around all of a picture."""
    return 0.0, 0.0, float(size[0]), float(size[1])


def _details(
    asked: Features, collection: Sequence[Features], numbers: list[int], config: RetrievalConfig
) -> dict[int, Discovery]:
    """The best detail that each of the likely pictures has in common with one."""
    if len(numbers) > config.exhaustive:
        first = replace(config.discovery, source_cells=config.first_cells, hypotheses=64)
        quick = _best_details(asked, collection, numbers, first, 2 * config.first_cells)
        numbers = sorted(numbers, key=lambda one: -quick[one].score if one in quick else 0.0)[: config.likely]
    return _best_details(asked, collection, numbers, config.discovery)


def _best_details(
    asked: Features, collection: Sequence[Features], numbers: Iterable[int], config: DiscoveryConfig,
    most_cells: int | None = None,
) -> dict[int, Discovery]:
    source = Source.of(asked, config)
    found = {}
    for number in numbers:
        target = collection[number]
        if most_cells is not None:
            coarse = tuple(grid for grid in target.grids if max(grid.shape[:2]) <= most_cells)
            target = Features(target.size, coarse or target.grids[-1:])
        best = best_detail(source, target, config)
        if best is not None:
            found[number] = best
    return found
