"""What was found, for other programs: tables, JSON, and annotations that viewers of IIIF read.

Annotations are those of the W3C's Web Annotation Data Model (2017), on a page as the IIIF Presentation API 3 has it;
where they are is a media fragment, xywh in px of the upright picture.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from training.art.boxes import Box
from training.art.clusters import Cluster
from training.art.search import Detection

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
FRAGMENTS = "http://www.w3.org/TR/media-frags/"
Points = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Place:
    """A box in a picture, which has its name in the collection."""

    picture: str
    box: Box


@dataclass(frozen=True)
class Hit:
    """A place that is held to show what was asked for."""

    place: Place
    score: float
    verified: bool
    """Whether one affine map explains it."""
    points: Points
    """Of each cell that agrees with that map x, y in [0, 1]^2 of the picture asked about, and of this one."""
    mirrored: bool = False
    """Whether it is turned left to right."""


def hits(found: Sequence[Detection], names: Sequence[str]) -> list[Hit]:
    """The same by names; names: of the pictures, by number."""
    made = []
    for one in found:
        points: Points = ()
        if one.discovery is not None:
            pairs = zip(one.discovery.source.tolist(), one.discovery.target.tolist(), strict=True)
            points = tuple((here[0], here[1], there[0], there[1]) for here, there in pairs)
        made.append(Hit(Place(names[one.picture], one.box), one.score, one.discovery is not None, points, one.mirrored))
    return made


def search_table(found: Sequence[Hit]) -> str:
    """CSV: rank, picture, x, y, w, h px, score, verified, mirrored."""
    rows = [
        (rank, one.place.picture, *_rounded(one.place.box), f"{one.score:.4f}", *_yes(one.verified, one.mirrored))
        for rank, one in enumerate(found, 1)
    ]
    return _table(("rank", "picture", "x", "y", "w", "h", "score", "verified", "mirrored"), rows)


def search_json(query: Place, found: Sequence[Hit]) -> dict[str, Any]:
    """What was asked for, and what was found, best first."""
    return {
        "query": _place(query),
        "results": [
            _place(one.place)
            | {
                "score": round(one.score, 5), "verified": one.verified, "mirrored": one.mirrored,
                "points": _points(one.points),
            }
            for one in found
        ],
    }


def search_annotations(query: Place, found: Sequence[Hit], base: str = "") -> dict[str, Any]:
    """A page of annotations: each links a place that was found to what was asked for. base: before the names."""
    items = [
        _annotation(
            f"{base}annotations/search#{rank}",
            [
                _target(query, base),
                _text(f"{query.picture}, the same detail: {_how(one)}score {one.score:.3f}"),
            ],
            _target(one.place, base),
        )
        for rank, one in enumerate(found, 1)
    ]
    return _page(f"{base}annotations/search", items)


def cluster_table(found: Sequence[Cluster], names: Mapping[str, str]) -> str:
    """CSV: cluster, picture, x, y, w, h px, score of its best detail; names: of pictures by key."""
    rows = [
        (number, names[member.picture], *_rounded(member.box), f"{_score(one, member.picture):.4f}")
        for number, one in enumerate(found, 1)
        for member in one.members
    ]
    return _table(("cluster", "picture", "x", "y", "w", "h", "score"), rows)


def cluster_json(found: Sequence[Cluster], names: Mapping[str, str]) -> dict[str, Any]:
    """Clusters with their members, and what joins these."""
    return {
        "clusters": [
            {
                "members": [_place(Place(names[one.picture], one.box)) for one in cluster.members],
                "details": [
                    {
                        "a": _place(Place(names[one.a], one.a_box)),
                        "b": _place(Place(names[one.b], one.b_box)),
                        "score": round(one.score, 5),
                        "affine": one.affine,
                        "points": _points(one.points),
                    }
                    for one in cluster.details
                ],
            }
            for cluster in found
        ]
    }


def cluster_annotations(found: Sequence[Cluster], names: Mapping[str, str], base: str = "") -> dict[str, Any]:
    """A page of annotations: each member of a cluster, linked to the others."""
    items = []
    for number, cluster in enumerate(found, 1):
        places = [Place(names[one.picture], one.box) for one in cluster.members]
        for which, place in enumerate(places):
            others = [_target(one, base) for one in places if one is not place]
            text = _text(f"detail {number}, in {len(places)} pictures")
            name = f"{base}annotations/details#{number}-{which + 1}"
            items.append(_annotation(name, [*others, text], _target(place, base)))
    return _page(f"{base}annotations/details", items)


def _how(one: Hit) -> str:
    told = (("verified, ", one.verified), ("mirrored, ", one.mirrored))
    return "".join(word for word, is_so in told if is_so)


def _yes(*values: bool) -> tuple[str, ...]:
    return tuple("yes" if one else "no" for one in values)


def _score(cluster: Cluster, key: str) -> float:
    return max(one.score for one in cluster.details if key in (one.a, one.b))


def _annotation(name: str, body: list[dict[str, Any]], target: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": "Annotation", "motivation": "linking", "body": body, "target": target}


def _page(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@context": CONTEXT, "id": name, "type": "AnnotationPage", "items": items}


def _target(place: Place, base: str) -> dict[str, Any]:
    x, y, w, h = _rounded(place.box)
    return {
        "type": "SpecificResource",
        "source": base + quote(place.picture),
        "selector": {"type": "FragmentSelector", "conformsTo": FRAGMENTS, "value": f"xywh={x},{y},{w},{h}"},
    }


def _text(value: str) -> dict[str, Any]:
    return {"type": "TextualBody", "value": value, "format": "text/plain", "language": "en"}


def _place(place: Place) -> dict[str, Any]:
    return {"picture": place.picture, "box": [round(one, 1) for one in place.box]}


def _points(points: Points) -> list[list[float]]:
    return [[round(one, 5) for one in four] for four in points]


def _rounded(box: Box) -> tuple[int, int, int, int]:
    """Whole px, at least one along a side."""
    x, y, w, h = box
    left, top = round(x), round(y)
    return left, top, max(1, round(x + w) - left), max(1, round(y + h) - top)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return file.getvalue()
