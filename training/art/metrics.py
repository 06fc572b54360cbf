"""How good a ranking is: average precision of boxes and of pictures, and how often the first one is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.art.annotations import DetectionQuery, Recognition, Region, RetrievalQuery
from training.art.boxes import overlaps

OVERLAP = 0.3
"""Boxes that overlap by more than this (intersection over union) show the same (ArtMiner, section 4.1)."""


@dataclass(frozen=True)
class DetectionScores:
    """Average precisions."""

    per_query: tuple[float, ...]
    per_category: Mapping[str, float]
    """The mean over the queries of each category."""

    @property
    def mean(self) -> float:
        """Over the queries: ArtMiner's first figure."""
        return float(np.mean(self.per_query))

    @property
    def mean_of_categories(self) -> float:
        """Over the categories."""
        return float(np.mean(list(self.per_category.values())))


def detection_scores(
    queries: Sequence[DetectionQuery], ranked: Sequence[Sequence[Region]], most: float = OVERLAP
) -> DetectionScores:
    """Of each query the boxes found, best first, in pictures other than the query's."""
    each = tuple(
        detection_precision(query.wanted, found, most) for query, found in zip(queries, ranked, strict=True)
    )
    categories: dict[str, list[float]] = {}
    for query, value in zip(queries, each, strict=True):
        categories.setdefault(query.category, []).append(value)
    return DetectionScores(each, {name: float(np.mean(values)) for name, values in categories.items()})


def detection_precision(wanted: Sequence[Region], found: Sequence[Region], least: float = OVERLAP) -> float:
    """Average precision: the mean over what is wanted of the precision where it is found, 0 where it is not.

    A box finds the wanted one of its picture, of those not found before, that it overlaps most, by more than `least`.
    """
    open_ones: dict[str, list[Region]] = {}
    for one in wanted:
        open_ones.setdefault(one.picture, []).append(one)
    hits, total = 0, 0.0
    for rank, one in enumerate(found, start=1):
        left = open_ones.get(one.picture)
        if not left:
            continue
        overlapped = overlaps(np.asarray(one.box, float), np.asarray([other.box for other in left], float))
        best = int(overlapped.argmax())
        if overlapped[best] > least:
            left.pop(best)
            hits += 1
            total += hits / rank
    return total / len(wanted)


def top_1_accuracy(recognition: Recognition, first: Mapping[str, str]) -> float:
    """The share of queries whose first picture has their label; a query without one counts as wrong."""
    labels = recognition.labels
    right = [query in first and labels[first[query]] == labels[query] for query in recognition.queries]
    return float(np.mean(right))


def retrieval_precision(query: RetrievalQuery, ranked: Sequence[str]) -> float:
    """Average precision as Oxford's compute_ap has it: the area under precision over recall by trapezoids, precision 1
    before the first picture; junk is as if it were not there."""
    precision, recall, area, seen, hits = 1.0, 0.0, 0.0, 0, 0
    for picture in ranked:
        if picture in query.junk:
            continue
        seen += 1
        hits += picture in query.wanted
        now, reached = hits / seen, hits / len(query.wanted)
        area += (reached - recall) * (precision + now) / 2
        precision, recall = now, reached
    return area


def retrieval_score(queries: Sequence[RetrievalQuery], ranked: Sequence[Sequence[str]]) -> float:
    """The mean of the average precisions."""
    return float(np.mean([retrieval_precision(query, one) for query, one in zip(queries, ranked, strict=True)]))
