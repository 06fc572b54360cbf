"""Details that are turned left to right in another picture: prints, reversed cartoons, studies for tapestries.

A convolutional network does not see them as the same. So the picture asked about is mirrored, its features are made
anew, and what is found with these is told in terms of the picture as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.art.boxes import Box, Size, overlap
from training.art.features import Features
from training.art.gallery import SAME_PLACE, Gallery
from training.art.pictures import Picture
from training.art.regions import Region
from training.art.search import Detection, SearchConfig, ranked

_LEFT_TO_RIGHT = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
"""Of [0, 1]^2."""


@dataclass(frozen=True, eq=False)
class Sides:
    """A picture as it is, and mirrored."""

    features: Features
    mirrored: Features


def mirrored_picture(picture: Picture) -> Picture:
    """Left to right."""
    return Picture(picture.size, np.ascontiguousarray(picture.rgb[:, ::-1]))


def mirrored_box(box: Box, size: Size) -> Box:
    """Where a box of a picture of this size is when that is mirrored, px."""
    x, y, width, height = box
    return size[0] - x - width, y, width, height


def search_both(
    gallery: Gallery, sides: Sides, box: Box, key: str | None = None, config: SearchConfig | None = None,
    verify: bool = True,
) -> list[Detection]:
    """As `Gallery.search`, of a box as it is and mirrored; where both are found at one place, the better one.

    Raises InputError for a box that is none, or outside the picture, and BlockworldError where features are gone.
    """
    config = config or SearchConfig()
    region = Region.of(sides.features, box)
    other = Region.of(sides.mirrored, mirrored_box(region.box, region.size))
    own = gallery.keys.index(key) if key in gallery.keys else None
    found = [
        _seen(one, region.size)
        for one in gallery.search(other, None, config, verify)
        if one.picture != own or overlap(one.box, region.box) <= SAME_PLACE
    ]
    return _once(ranked([*gallery.search(region, key, config, verify), *found]), config.overlap)


def _seen(one: Detection, size: Size) -> Detection:
    """What was found with the mirrored picture, told of the picture as it is; size: its own, px."""
    if one.discovery is None:
        return replace(one, mirrored=True)
    told = replace(
        one.discovery,
        affine=one.discovery.affine @ _LEFT_TO_RIGHT,
        source=one.discovery.source * [-1, 1] + [1, 0],
        source_box=mirrored_box(one.discovery.source_box, size),
    )
    return replace(one, mirrored=True, discovery=told)


def _once(found: Sequence[Detection], most: float) -> list[Detection]:
    """Without those that overlap a better one of the other kind."""
    kept: list[Detection] = []
    for one in found:
        if all(
            one.picture != other.picture or one.mirrored == other.mirrored or overlap(one.box, other.box) <= most
            for other in kept
        ):
            kept.append(one)
    return kept
