"""Discovery in a collection: pairs compared one by one, what was found kept as it comes, so that no work is lost.

The journal is a file of JSON lines: first what is being done, then for each picture its pairs, as soon as all of them
are compared. A run that was killed goes on after the last complete line. Neither interruptions nor the number of
processes change what is in the file in the end.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from perception.errors import BlockworldError, reason
from training.art.boxes import Box
from training.art.discovery import Discovery, DiscoveryConfig, Source, discoveries
from training.art.shortlist import FeaturesByKey, Pairs

VERSION = 1
DIGITS = 5
"""Decimals of what is in [0, 1]: a thousandth of a px of most pictures."""


@dataclass(frozen=True)
class MiningConfig:
    """What is looked for in the pairs of a collection."""

    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
    least_score: float = 0.02
    """Details of a lower score are not kept."""


@dataclass(frozen=True)
class Detail:
    """What two pictures have in common, as far as it is kept."""

    a: str
    """The key of the source."""
    b: str
    """The key of the target."""
    score: float
    a_box: Box
    b_box: Box
    affine: tuple[tuple[float, float, float], tuple[float, float, float]]
    points: tuple[tuple[float, float, float, float], ...]
    """Of each inlier x, y in [0, 1]^2 of a and of b."""


PictureJob = tuple[str, list[str]]
"""The key of a picture, and of those that it is compared with."""
Entry = dict[str, Any]
"""What is kept of a picture's pairs: that JSON can hold."""
Comparing = Callable[[Sequence[PictureJob], MiningConfig], Iterator[Entry]]
"""Gives an entry for each job, in their order."""


def mine(
    keys: Sequence[str], features: FeaturesByKey, pairs: Pairs, journal: Path, config: MiningConfig | None = None,
    workers: int | Comparing = 1, progress: bool = False,
) -> list[Detail]:
    """Compare the pairs that the journal lacks; returns all details, in the order of the pairs, best first in each.

    workers: processes here, or what compares in their place; features has to be picklable with more processes than one.
    Raises BlockworldError where the journal is of other pictures, pairs or settings, or cannot be written to.
    """
    config = config or MiningConfig()
    jobs = _jobs(keys, pairs)
    described = {"version": VERSION, "job": _digest([keys, pairs, asdict(config)]), "pictures": len(jobs)}
    done = _read(journal, described)
    try:
        with journal.open("a", encoding="utf-8") as file:
            if not done and not file.tell():
                file.write(json.dumps(described) + "\n")
            left = jobs[len(done) :]
            made = _compared(left, features, config, workers) if isinstance(workers, int) else workers(left, config)
            for entry in tqdm(made, total=len(left), unit=" pictures", desc="discovery", disable=not progress):
                file.write(json.dumps(entry) + "\n")
                file.flush()
                done.append(entry)
    except OSError as error:
        raise BlockworldError(f"{journal} cannot be written to: {reason(error)}.") from error
    return [_detail(one) for entry in done for one in entry["details"]]


def details_so_far(journal: Path) -> list[Detail]:
    """What a journal has, while others may be writing it; nothing where it cannot be read."""
    try:
        content = journal.read_bytes()
        entries = [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()[1:]]
    except (OSError, ValueError):
        return []
    return [_detail(one) for entry in entries for one in entry["details"]]


def _jobs(keys: Sequence[str], pairs: Pairs) -> list[PictureJob]:
    """The pairs by their first picture, whose features are then prepared once."""
    jobs: dict[int, list[str]] = {}
    for a, b in pairs:
        jobs.setdefault(a, []).append(keys[b])
    return [(keys[a], others) for a, others in jobs.items()]


def _compared(
    jobs: Sequence[PictureJob], features: FeaturesByKey, config: MiningConfig, workers: int
) -> Iterator[Entry]:
    if workers == 1 or len(jobs) < 2:
        for key, others in jobs:
            yield compare(key, others, features, config)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        sources, targets = zip(*jobs, strict=True)
        yield from pool.map(compare, sources, targets, repeat(features), repeat(config))


def one_thread() -> None:
    """Of a process beside which others compare."""
    import torch

    torch.set_num_threads(1)


def compare(key: str, others: Sequence[str], features: FeaturesByKey, config: MiningConfig) -> Entry:
    """What a picture has in common with others. Raises KeyError, or what `features` raises, where some are missing."""
    source = Source.of(features[key], config.discovery)
    details = []
    for other in others:
        target = features[other]
        found = discoveries(source, target, config.discovery)
        details += [_entry(key, other, one) for one in found if one.score >= config.least_score]
    return {"picture": key, "details": details}


def _entry(a: str, b: str, one: Discovery) -> Entry:
    points = [[*here, *there] for here, there in zip(one.source.tolist(), one.target.tolist(), strict=True)]
    return {
        "a": a,
        "b": b,
        "score": one.score,
        "a_box": one.source_box,
        "b_box": one.target_box,
        "affine": one.affine.tolist(),
        "points": [[round(value, DIGITS) for value in point] for point in points],
    }


def _detail(entry: Entry) -> Detail:
    lists = {name: tuple(entry[name]) for name in ("a_box", "b_box")}
    nested = {name: tuple(tuple(one) for one in entry[name]) for name in ("affine", "points")}
    return Detail(**(entry | lists | nested))


def _read(journal: Path, described: Entry) -> list[Entry]:
    """The entries that are complete; what a killed run left of another is cut off."""
    try:
        content = journal.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BlockworldError(f"{journal} cannot be read: {reason(error)}.") from error
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        raise BlockworldError(f"{journal} is damaged ({reason(error)}): delete it to begin anew.") from error
    if lines and lines[0] != described:
        raise BlockworldError(f"{journal} is of other pictures, pairs or settings: delete it, or name another file.")
    if len(whole) < len(content):
        with journal.open("r+b") as file:
            file.truncate(len(whole))
    return lines[1:]


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
