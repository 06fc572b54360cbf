"""Which protocol published annotations are for, and what a collection scores by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from perception.errors import InputError
from training.art.annotations import (
    DetectionQuery,
    Recognition,
    RetrievalQuery,
    read_detections,
    read_json,
    read_recognition,
    read_retrieval,
)
from training.art.evaluation import evaluate_detection, evaluate_recognition, evaluate_retrieval
from training.art.features import Features
from training.art.metrics import OVERLAP

Kind = Literal["detection", "recognition", "retrieval"]
COSINE, DISCOVERY = "cosine", "discovery"


@dataclass(frozen=True)
class Protocol:
    """Queries, of one of the three kinds."""

    kind: Kind
    detections: Sequence[DetectionQuery] = ()
    recognition: Recognition | None = None
    retrieval: Sequence[RetrievalQuery] = ()

    @property
    def queries(self) -> int:
        """How many."""
        return len(self.detections) + len(self.retrieval) + len(self.recognition.queries if self.recognition else ())


@dataclass(frozen=True)
class Scores:
    """What one way to rank scores: shares of 1 by the names of their measures."""

    method: str
    measures: Mapping[str, float]
    categories: Mapping[str, float] = field(default_factory=dict)
    """Of detection, the mean average precision of each category."""
    queries: Sequence[float] = ()
    """Of detection, the average precision of each query."""


def read_protocol(path: Path, part: str = "test") -> Protocol:
    """Annotations in any of the published formats, told apart by what they have: a folder is Oxford's; of JSON files
    LTLL's has searchImg, Oxford's annotation, and Brueghel's neither.

    part: test or val, of LTLL and Oxford in JSON. Raises InputError where it is none of these.
    """
    if path.is_dir():
        return Protocol("retrieval", retrieval=read_retrieval(path))
    data = read_json(path)
    members = data if isinstance(data, dict) else {}
    if "searchImg" in members:
        return Protocol("recognition", recognition=read_recognition(path, part))
    if "annotation" in members:
        return Protocol("retrieval", retrieval=read_retrieval(path, part))
    return Protocol("detection", read_detections(path))


def evaluate(
    protocol: Protocol, features: Mapping[str, Features], verify: bool = True, progress: bool = False
) -> list[Scores]:
    """A row for each way to rank: of boxes by the cosine, and with `verify` by discovery too; of pictures by discovery.

    features: by the names that the annotations have. Raises InputError where a picture of the annotations is missing, a
    box is outside its picture, or pictures are to be ranked without discovery.
    """
    if protocol.kind == "detection":
        ways = {COSINE: False, DISCOVERY: True} if verify else {COSINE: False}
        return [_detection(protocol.detections, features, name, way, progress) for name, way in ways.items()]
    if not verify:
        raise InputError("Whole pictures are ranked by discovery alone: leave --cosine out.", "cosine")
    if protocol.recognition is not None:
        first = evaluate_recognition(protocol.recognition, features, progress=progress)
        return [Scores(DISCOVERY, {"top-1": first})]
    return [Scores(DISCOVERY, {"mAP": evaluate_retrieval(protocol.retrieval, features, progress=progress)})]


def described(protocol: Protocol, pictures: int, scores: Sequence[Scores]) -> dict[str, Any]:
    """The same for a JSON file."""
    rows = []
    for one in scores:
        row: dict[str, Any] = {"method": one.method, **one.measures}
        if one.categories:
            row |= {"categories": dict(one.categories), "queries": list(one.queries)}
        rows.append(row)
    about = {"protocol": protocol.kind, "pictures": pictures, "queries": protocol.queries}
    return (about | {"overlap": OVERLAP} if protocol.kind == "detection" else about) | {"rows": rows}


def _detection(
    queries: Sequence[DetectionQuery], features: Mapping[str, Features], name: str, verify: bool, progress: bool
) -> Scores:
    found = evaluate_detection(queries, features, verify=verify, progress=progress)
    measures = {"mAP": found.mean, "mAP over categories": found.mean_of_categories}
    return Scores(name, measures, found.per_category, found.per_query)
