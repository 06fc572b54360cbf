"""A thousand scans: how long it takes to index them, to find what they have in common, and to look for a box in them.

The commands that users type are run, and printed, one after the other; beside the time on the clock stands that of the
processor, since other work slows the first and hardly the second. What was done stays in a folder, so that a run that
was broken off goes on: times of attempts are added up.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from _art_collection import PAINTINGS, collection
from _report import check

from perception.picture_folder import content_digest
from training.art.backbone import open_backbone
from training.art.clusters import cluster_recall, clusters
from training.art.coarse_file import CoarseFile
from training.art.discovery import DiscoveryConfig, discover_all
from training.art.feature_store import FeatureStore
from training.art.gallery import Gallery
from training.art.index import open_store
from training.art.mining import MiningConfig, mine
from training.art.regions import Region
from training.art.whole_collection import CollectionConfig

FULL, EXHAUSTIVE, QUICK = 1000, 150, 10
WEIGHTS = PAINTINGS.parent / "backbones" / "resnet18_imagenet_conv1-layer3_bnfolded.npz"
REPEATS, QUERIES = 5, 20
SAMPLED_S = 0.5
LOG = "stages.jsonl"
MB = 1e6


def scale(quick: bool, folder: Path, count: str | None) -> tuple[list[dict], list[dict]]:
    """Rows and checks. folder: keeps scans, features and what was done. count: of scans, fewer than FULL to try.

    Checks are of FULL scans alone; of fewer, rows tell how many there were.
    """
    if not PAINTINGS.is_dir() or not WEIGHTS.is_file():
        print(f"scale: left out, since there are no paintings in {PAINTINGS} or no weights in {WEIGHTS}")
        return [], []
    return _measured(folder, int(count or (QUICK if quick else FULL)))


def _measured(folder: Path, count: int) -> tuple[list[dict], list[dict]]:
    groups = collection(folder, count)
    place, cache = folder / "scans", folder / "features"
    words = ["--weights", str(WEIGHTS), "--cache", str(cache)]
    art = [str(Path(sys.executable).with_name("blockworld")), "art"]
    cores = str(len(os.sched_getaffinity(0)))
    index = stage(folder, "index", [*art, "index", str(place), *words])
    report = [*art, "discover", str(place), "--out", str(folder / "report"), "--workers", cores]
    found = stage(folder, "discover", [*report, *words])
    asked = [*art, "search", str(groups[0][0]), "--box", "100,100,300,300", *words]
    search = stage(folder, "search", asked, again=True)
    store, _ = open_store(open_backbone(WEIGHTS), cache)
    keys = {path: content_digest(path) for group in groups for path in group}
    stages = {"index": index, "discovery": found, "search by command": search}
    rows = [_told(f"{name} of {count} scans", one) for name, one in stages.items()]
    pairs = pair_rows(store, [[keys[path] for path in group] for group in groups])
    query = query_row(store, place, [keys[path] for group in groups for path in group])
    recall, least = recall_row(store, folder, groups, keys)
    rows += [*pairs, query, recall]
    checks = [
        check("discovery of a pair by bytes, ms, the slower kind", max(row["ms"] for row in pairs[:2]), "<=", 40.0),
        check(f"region query over {FULL} entries, s", query["s"], "<=", 0.5),
    ]
    if count == FULL:
        checks += [
            check("index of 1,000, minutes", index["clock_s"] / 60, "<=", 60.0),
            check("discovery of 1,000, minutes", found["clock_s"] / 60, "<=", 30.0),
            check("memory of its own, MB", max(index["mb"], found["mb"]), "<=", 4000.0),
            check("clusters of exhaustive matching that are found", least, ">=", 0.95),
        ]
    return rows, checks


def stage(folder: Path, name: str, command: list[str], again: bool = False) -> dict[str, float]:
    """Run a command, unless it has ended before. again: in any case.

    Of all attempts: seconds on the clock and of the processor, and the largest memory of its own, MB, of all processes.
    """
    log = folder / LOG
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    attempts = [one for one in lines if one["stage"] == name]
    if again or not any(one["ended"] for one in attempts):
        print(f"$ {' '.join(['blockworld', *command[1:]])}", flush=True)
        one = {"stage": name, **_run(command)}
        attempts = [one] if again else [*attempts, one]
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
        if not one["ended"]:
            raise SystemExit(f"{name} ended with an error.")
    return {
        "clock_s": sum(one["clock_s"] for one in attempts), "processor_s": sum(one["processor_s"] for one in attempts),
        "mb": max(one["mb"] for one in attempts),
    }


def _run(command: list[str]) -> dict[str, Any]:
    begin, largest = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        while True:
            pid, status, used = os.wait4(run.pid, os.WNOHANG)
            if pid:
                run.returncode = os.waitstatus_to_exitcode(status)
                break
            largest = max(largest, _own_memory(run.pid) / MB)
            time.sleep(SAMPLED_S)
    spent = time.perf_counter() - begin
    return {"clock_s": spent, "processor_s": used.ru_utime + used.ru_stime, "mb": largest, "ended": not run.returncode}


def _own_memory(pid: int) -> int:
    """Bytes of a process and all that it started, without pages of files, which give way to others."""
    total = 0
    with suppress(OSError):  # it may end meanwhile
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += 1024 * int(line.split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(_own_memory(int(child)) for child in (task / "children").read_text().split())
    return total


def _told(what: str, one: dict[str, float]) -> dict[str, Any]:
    return {"scale": what, "s": one["clock_s"], "processor s": one["processor_s"], "MB of its own": one["mb"]}


def pair_rows(store: FeatureStore, groups: Sequence[Sequence[str]]) -> list[dict]:
    """Discovery in pairs with a copied detail and in others, by bytes and in single precision: medians."""
    copies = [(group[0], one) for group in groups for one in group[1:2]][:QUERIES]
    others = [(a[0], b[-1]) for a, b in combinations(groups, 2)][:QUERIES]
    rows = []
    for arithmetic in ("int8", "float32"):
        config = DiscoveryConfig(arithmetic=arithmetic)  # type: ignore[arg-type]
        for kind, pairs in (("with a copy", copies), ("unrelated", others)):
            spent = [_timed(lambda a=a, b=b, c=config: discover_all(store[a], store[b], c)) for a, b in pairs]
            clock, processor = np.median(spent, axis=0).tolist()
            rows.append({"scale": f"a pair {kind}, {arithmetic}", "ms": 1000 * clock, "processor ms": 1000 * processor})
    return rows


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    """The best of some calls, after one to warm up: seconds on the clock and of the processor."""
    run()
    spent = []
    for _ in range(REPEATS):
        begin, used = time.perf_counter(), time.process_time()
        run()
        spent.append((time.perf_counter() - begin, time.process_time() - used))
    return min(spent)


class Repeated:
    """Features by key, where a key is another one with a number before it: as many entries as are wanted."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        return self._store[key.rpartition(":")[2]]


def query_row(store: FeatureStore, place: Path, keys: Sequence[str]) -> dict:
    """A box looked for in FULL entries by a process that has them open, as the page does; of fewer pictures, some are
    there several times."""
    gallery = Gallery(Repeated(store), CoarseFile.of(store, place / "repeated"))
    for number in range(FULL):
        gallery.add(f"{number // len(keys)}:{keys[number % len(keys)]}")
    begin = time.perf_counter()
    gallery.catch_up()
    made = time.perf_counter() - begin
    random = np.random.default_rng(0)
    spent = []
    for key in keys[:QUERIES]:
        features = store[key]
        low, side = random.uniform(0.1, 0.4, 2), random.uniform(0.2, 0.5)
        box = (*(low * features.size).tolist(), *(side * np.array(features.size)).tolist())
        region = Region.of(features, box)
        spent.append(_timed(lambda r=region: gallery.search(r)))
    clock, processor = np.median(spent, axis=0).tolist()
    return {
        "scale": f"a box in {FULL} entries of {len(keys)} scans", "s": clock, "processor s": processor,
        "s for the coarse index": made,
    }


def recall_row(
    store: FeatureStore, folder: Path, groups: Sequence[Sequence[Path]], keys: dict[Path, str]
) -> tuple[dict, float]:
    """Of the clusters that exhaustive matching finds in EXHAUSTIVE scans, the share that is left of those pairs among
    these which the shortlist of the whole collection has; also as a number."""
    chosen: list[str] = []
    for group in groups:
        if len(chosen) + len(group) <= EXHAUSTIVE:
            chosen += [keys[path] for path in group]
    config = CollectionConfig()
    every = list(combinations(range(len(chosen)), 2))
    details = mine(chosen, store, every, folder / f"exhaustive-{len(chosen)}.jsonl", MiningConfig(), 2, progress=True)
    gallery = Gallery(store)
    for path in sorted(keys):
        gallery.add(keys[path])
    near = {frozenset(gallery.keys[one] for one in pair) for pair in gallery.pairs(config.neighbours)}
    shortlisted = [one for one in details if frozenset((one.a, one.b)) in near]
    wanted, found = (clusters(one, config.least_score) for one in (details, shortlisted))
    pairs = sum(frozenset((chosen[a], chosen[b])) in near for a, b in every)
    recall = cluster_recall(found, wanted)
    return {
        "scale": f"clusters in {len(chosen)} of {len(gallery)} scans", "clusters": len(wanted), "found": recall,
        "pairs": len(every), "compared": pairs,
    }, recall
