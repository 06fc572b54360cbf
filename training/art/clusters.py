"""Details of pairs joined to clusters: the same figure in three pictures or more."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.art.annotations import Region
from training.art.boxes import Box, overlap
from training.art.mining import Detail

LEAST_PICTURES = 3
SAME = 0.3
"""Boxes of one picture that overlap by more than this (intersection over union) show the same."""


@dataclass(frozen=True)
class Cluster:
    """A detail, and where it is."""

    members: tuple[Region, ...]
    """Of each picture the box of its best detail, in the order of the pictures' names."""
    details: tuple[Detail, ...]
    """What joins them, best first."""

    @property
    def pictures(self) -> frozenset[str]:
        """The keys of its pictures."""
        return frozenset(one.picture for one in self.members)


def clusters(
    details: Sequence[Detail], least_score: float, least_pictures: int = LEAST_PICTURES, same: float = SAME
) -> list[Cluster]:
    """The connected parts of a graph whose nodes are boxes and whose edges are details, and boxes of one picture that
    show the same; those of most pictures first, then those of the best details."""
    kept = [one for one in details if one.score >= least_score]
    ends: list[tuple[str, Box]] = [end for one in kept for end in ((one.a, one.a_box), (one.b, one.b_box))]
    parent = list(range(len(ends)))
    for number in range(len(kept)):
        _join(parent, 2 * number, 2 * number + 1)
    by_picture: dict[str, list[int]] = {}
    for number, (picture, box) in enumerate(ends):
        for other in by_picture.setdefault(picture, []):
            if overlap(box, ends[other][1]) > same:
                _join(parent, number, other)
        by_picture[picture].append(number)
    parts: dict[int, list[Detail]] = {}
    for number, one in enumerate(kept):
        parts.setdefault(_root(parent, 2 * number), []).append(one)
    found = [_cluster(part) for part in parts.values()]
    found = [one for one in found if len(one.members) >= least_pictures]
    return sorted(found, key=lambda one: (-len(one.members), -one.details[0].score, one.members[0].picture))


def cluster_recall(found: Sequence[Cluster], wanted: Sequence[Cluster]) -> float:
    """The share of the wanted clusters of which some found one has at least half of the pictures, and three or more;
    1 where nothing is wanted."""
    if not wanted:
        return 1.0
    hits = [
        any(len(both := one.pictures & other.pictures) >= LEAST_PICTURES and 2 * len(both) >= len(one.pictures)
            for other in found)
        for one in wanted
    ]
    return sum(hits) / len(hits)


def _cluster(part: Sequence[Detail]) -> Cluster:
    ranked = sorted(part, key=lambda one: (-one.score, one.a, one.b))
    best: dict[str, Box] = {}
    for one in ranked:
        best.setdefault(one.a, one.a_box)
        best.setdefault(one.b, one.b_box)
    return Cluster(tuple(Region(picture, best[picture]) for picture in sorted(best)), tuple(ranked))


def _join(parent: list[int], a: int, b: int) -> None:
    a, b = _root(parent, a), _root(parent, b)
    parent[max(a, b)] = min(a, b)


def _root(parent: list[int], one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one
