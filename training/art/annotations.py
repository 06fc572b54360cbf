"""The published annotations: Brueghel and LTLL of ArtMiner (JSON), Oxford buildings (text files, or ArtMiner's JSON).

Names of pictures are as the files have them. Boxes are (x, y, w, h) px here; in the files they are corners.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from perception.errors import InputError, reason
from training.art.boxes import Box

GOOD, OK, JUNK, QUERY = "_good.txt", "_ok.txt", "_junk.txt", "_query.txt"
OXFORD_PREFIX = "oxc1_"
"""Before the names in Oxford's query files, and before no others."""


@dataclass(frozen=True)
class Region:
    """A box in a picture."""

    picture: str
    box: Box


@dataclass(frozen=True)
class DetectionQuery:
    """A detail, and where else it is."""

    category: str
    query: Region
    wanted: tuple[Region, ...]


@dataclass(frozen=True)
class Recognition:
    """Pictures with labels: each query is to be given a picture of the same place."""

    queries: tuple[str, ...]
    searched: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class RetrievalQuery:
    """A picture, or a box in it, and the pictures that show the same."""

    name: str
    picture: str
    box: Box | None
    wanted: frozenset[str]
    junk: frozenset[str]
    """Neither right nor wrong: left out of the ranking."""


def read_detections(path: Path) -> list[DetectionQuery]:
    """Brueghel's: {category: [{"query": [picture, [left, top, right, bottom]], "gt": [[picture, [...]], ...]}]}.

    Raises InputError where the file is not that.
    """
    data = read_json(path)
    found = []
    for category, queries in _entries(data, path, "an object of categories"):
        for number, entry in enumerate(_list(queries, path, f"category {category}")):
            where = f"query {number} of category {category}"
            if not isinstance(entry, dict) or "query" not in entry or "gt" not in entry:
                raise _malformed(path, f"{where} has to be an object with query and gt")
            wanted = tuple(_region(one, path, f"gt of {where}") for one in _list(entry["gt"], path, f"gt of {where}"))
            if not wanted:
                raise _malformed(path, f"gt of {where} is empty")
            found.append(DetectionQuery(category, _region(entry["query"], path, where), wanted))
    if not found:
        raise _malformed(path, "it has no queries")
    return found


def read_recognition(path: Path, part: str = "test") -> Recognition:
    """LTLL's: {"val": [...], "test": [...], "searchImg": [...], "annotation": {picture: label}}; part: val or test.

    Raises InputError where the file is not that, or a picture has no label.
    """
    data = read_json(path)
    queries, searched, labels = (_member(data, name, path) for name in (part, "searchImg", "annotation"))
    names = {part: _names(queries, path, part), "searchImg": _names(searched, path, "searchImg")}
    for picture, label in _entries(labels, path, "annotation, an object of labels"):
        if not isinstance(label, str):
            raise _malformed(path, f"the label of {picture} has to be a word")
    for picture in (*names[part], *names["searchImg"]):
        if picture not in labels:
            raise _malformed(path, f"annotation has no label for {picture}")
    return Recognition(names[part], names["searchImg"], dict(labels))


def read_retrieval(path: Path, part: str = "test") -> list[RetrievalQuery]:
    """Oxford's, of a folder of NAME_query.txt, NAME_good.txt, NAME_ok.txt and NAME_junk.txt, or of ArtMiner's JSON:
    {"test": [...], "annotation": {picture: [wanted, ...] or {"bbox": [left, top, right, bottom], "gt": [...]}}}.

    ArtMiner's has no junk. Raises InputError where a file is missing or malformed.
    """
    return _oxford_folder(path) if path.is_dir() else _oxford_json(path, part)


def _oxford_folder(folder: Path) -> list[RetrievalQuery]:
    files = sorted(folder.glob(f"*{QUERY}"))
    if not files:
        raise InputError(f"{folder} has no file *{QUERY}: name the folder of Oxford's ground truth.", "annotations")
    found = []
    for file in files:
        name = file.name.removesuffix(QUERY)
        words = _text(file).split()
        if len(words) != 5:
            raise _malformed(file, "it has to be a picture's name and left, top, right, bottom on one line")
        good, ok, junk = (_lines(folder / f"{name}{ending}") for ending in (GOOD, OK, JUNK))
        if not good | ok:
            raise _malformed(file, f"neither {name}{GOOD} nor {name}{OK} names a picture")
        box = _box(words[1:], file, "the query")
        found.append(RetrievalQuery(name, words[0].removeprefix(OXFORD_PREFIX), box, good | ok, junk))
    return found


def _oxford_json(path: Path, part: str) -> list[RetrievalQuery]:
    data = read_json(path)
    queries, annotation = _member(data, part, path), _member(data, "annotation", path)
    found = []
    for picture in _names(queries, path, part):
        entry = _member(annotation, picture, path)
        box = None
        if isinstance(entry, dict):
            box = _box(_member(entry, "bbox", path), path, f"the bbox of {picture}")
            entry = _member(entry, "gt", path)
        wanted = _names(entry, path, f"annotation of {picture}")
        found.append(RetrievalQuery(picture, picture, box, frozenset(wanted), frozenset()))
    return found


def _region(value: Any, path: Path, where: str) -> Region:
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        raise _malformed(path, f"{where} has to be [picture, [left, top, right, bottom]]")
    return Region(value[0], _box(value[1], path, where))


def _box(corners: Any, path: Path, where: str) -> Box:
    try:
        left, top, right, bottom = (float(one) for one in corners)
    except (TypeError, ValueError):
        raise _malformed(path, f"the box of {where} has to be left, top, right, bottom") from None
    if not all(isfinite(one) for one in (left, top, right, bottom)) or right <= left or bottom <= top:
        raise _malformed(path, f"the box of {where} is empty or not finite: {corners}")
    return left, top, right - left, bottom - top


def _names(value: Any, path: Path, where: str) -> tuple[str, ...]:
    names = _list(value, path, where)
    if not names or not all(isinstance(one, str) for one in names):
        raise _malformed(path, f"{where} has to be a list of names, not empty")
    return tuple(names)


def _list(value: Any, path: Path, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise _malformed(path, f"{where} has to be a list")
    return value


def _entries(value: Any, path: Path, what: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise _malformed(path, f"it has to be {what}")
    return list(value.items())


def _member(value: Any, name: str, path: Path) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise _malformed(path, f"{name} is missing")
    return value[name]


def read_json(path: Path) -> Any:
    """What a JSON file holds. Raises InputError where it is none."""
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise _malformed(path, f"it is no JSON ({reason(error)})") from error


def _lines(path: Path) -> frozenset[str]:
    return frozenset(_text(path).split())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.", "annotations") from error


def _malformed(path: Path, what: str) -> InputError:
    return InputError(f"{path} is not the annotations that were expected: {what}.", "annotations")
