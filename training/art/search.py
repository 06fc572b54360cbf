"""One-shot detection: where in the other pictures of a collection is what a box of one shows.

Shen, Efros, Aubry, CVPR 2019, section 4: the cosine of the box's features at every place and scale ranks the boxes;
with discovery, what also agrees about one affine map comes first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from training.art.boxes import Box, Size, overlap
from training.art.dense import found_in
from training.art.discovery import Discovery, DiscoveryConfig, Source, discoveries, target_cells
from training.art.features import Features
from training.art.regions import QUERY_CELLS, Region


@dataclass(frozen=True)
class SearchConfig:
    """How a box is looked for."""

    cells: int = QUERY_CELLS
    """Cells along the longest side of the box."""
    boxes: int = 5
    """At most so many are found in a picture."""
    overlap: float = 0.1
    """Boxes of a picture that overlap by more than this (intersection over union) are one."""
    verified: int = 50
    """With discovery: so many pictures, those of the best boxes, are looked at."""
    discovery: DiscoveryConfig = field(default_factory=lambda: DiscoveryConfig(least_cells=3))


@dataclass(frozen=True, eq=False)
class Detection:
    """A box that is held to show the same."""

    picture: int
    box: Box
    score: float
    """The cosine; where an affine map explains it, 1 and the score of that, so that these come first."""
    discovery: Discovery | None = None
    mirrored: bool = False
    """Whether it shows the same turned left to right."""


def search(
    region: Region, collection: Sequence[Features], pictures: Iterable[int], config: SearchConfig | None = None,
    verify: bool = False,
) -> list[Detection]:
    """The boxes of those pictures of a collection that fit the region, best first.

    verify: whether those that one affine map explains come first (discovery).
    """
    config = config or SearchConfig()
    by_cosine = ranked(
        Detection(number, _box(box), float(score))
        for number in pictures
        for found in [found_in(region, collection[number], config.boxes, config.overlap)]
        for box, score in zip(found.boxes, found.scores, strict=True)
    )
    if not verify:
        return by_cosine
    first = list(dict.fromkeys(one.picture for one in by_cosine))[: config.verified]
    verified = [one for number in first for one in _verified(region, number, collection[number], config)]
    others = [one for one in by_cosine if not _shown(one, verified, config)]
    return ranked([*verified, *others])


def ranked(found: Iterable[Detection]) -> list[Detection]:
    """Best first; of those as good, in the order of the pictures."""
    return sorted(found, key=lambda one: (-one.score, one.picture))


def _verified(region: Region, number: int, features: Features, config: SearchConfig) -> list[Detection]:
    """Where affine maps put the box in a picture."""
    there = target_cells(features, config.discovery)
    found = discoveries(Source.of_region(region), there, features.size, config.discovery)
    return [
        Detection(number, box, 1 + one.score, one)
        for one in found
        if (box := _placed(one, region, features.size)) is not None
    ]


def _shown(one: Detection, verified: Sequence[Detection], config: SearchConfig) -> bool:
    """Whether a map has put the box there as well."""
    return any(one.picture == other.picture and overlap(one.box, other.box) > config.overlap for other in verified)


def _placed(discovery: Discovery, region: Region, size: Size) -> Box | None:
    """The box around what the map makes of the region's box, as far as it is in the picture."""
    x, y, w, h = region.box
    corners = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]]) / region.size
    there = corners @ discovery.affine[:, :2].T + discovery.affine[:, 2]
    low, high = (np.clip(one, 0, 1) * size for one in (there.min(axis=0), there.max(axis=0)))
    if (high - low).min() <= 0:
        return None
    return _box([*low, *(high - low)])


def _box(values: Sequence[float] | np.ndarray) -> Box:
    x, y, w, h = (float(one) for one in values)
    return x, y, w, h
