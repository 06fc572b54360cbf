"""One-shot detection: where in the other pictures of a collection is what a box of one shows.

Shen, Efros, Aubry, CVPR 2019, section 4: the cosine of the box's features at every place and scale ranks the boxes;
with discovery, what also agrees about one affine map comes first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from training.art.boxes import Box, Size, overlap
from training.art.dense import found_in
from training.art.discovery import Discovery, DiscoveryConfig, Source, discoveries_of, target_cells
from training.art.features import Features
from training.art.matching import Cells, Matches, Products
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
    discovery: DiscoveryConfig = field(default_factory=lambda: DiscoveryConfig(least_cells=3, groups=4, hypotheses=64))
    """Of a box, fewer groups and maps than of a picture find as much."""


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
    source = Source.of_region(region)
    looked = [_looked_at(source, region, collection[number], number, config, verify) for number in pictures]
    by_cosine = ranked(one for each in looked for one in each.found)
    if not verify:
        return by_cosine
    first = set(list(dict.fromkeys(one.picture for one in by_cosine))[: config.verified])
    verified = [one for each in looked if each.number in first for one in _verified(source, region, each, config)]
    others = [one for one in by_cosine if not _shown(one, verified, config)]
    return ranked([*verified, *others])


def ranked(found: Iterable[Detection]) -> list[Detection]:
    """Best first; of those as good, in the order of the pictures."""
    return sorted(found, key=lambda one: (-one.score, one.picture))


@dataclass(frozen=True, eq=False)
class _Looked:
    """What a picture that was looked at in full gives."""

    number: int
    size: Size
    found: list[Detection]
    cells: list[Cells]
    matches: Matches | None
    """Where they are wanted."""


def _looked_at(
    source: Source, region: Region, features: Features, number: int, config: SearchConfig, verify: bool
) -> _Looked:
    products = Products.of(source.cells.vectors, features.grids, config.discovery.arithmetic)
    found = found_in(region, features.size, products, config.boxes, config.overlap)
    cells = target_cells(features, config.discovery) if verify else []
    matches = products.mutual(source.cells, cells, config.discovery.margin) if verify else None
    detections = [
        Detection(number, _box(box), float(score)) for box, score in zip(found.boxes, found.scores, strict=True)
    ]
    return _Looked(number, features.size, detections, cells, matches)


def _verified(source: Source, region: Region, looked: _Looked, config: SearchConfig) -> list[Detection]:
    """Where affine maps put the box in a picture."""
    assert looked.matches is not None
    found = discoveries_of(source, looked.matches, looked.cells, looked.size, config.discovery)
    return [
        Detection(looked.number, box, 1 + one.score, one)
        for one in found
        if (box := _placed(one, region, looked.size)) is not None
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
