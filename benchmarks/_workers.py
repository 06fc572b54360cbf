"""Long benchmarks on all cores, that go on where they were broken off."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from tqdm import tqdm

LOG = "file that keeps what was done, so that a run that was broken off goes on"
"""Of the option."""


def workers() -> ProcessPoolExecutor:
    """A process for each core, which stays there: engines in them then have one thread each, and none waits."""
    context = get_context("spawn")
    cores = context.Queue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    return ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, _stay, (cores,))


def _stay(cores: "Queue[int]") -> None:
    os.sched_setaffinity(0, {cores.get()})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Else a worker would go on with what it was given last, for hours, beside the next run."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def resumed(
    pool: Executor, work: Callable[[Any], Any], jobs: Mapping[str, Any], log: str | None, what: str
) -> list[Any]:
    """What `work` makes of each job, in their order: something that JSON can hold. What the file `log` has of a job, by
    its key, is not done again, and what is done is added to it."""
    path = Path(log) if log else None
    lines = path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []
    known = dict(json.loads(line) for line in lines)
    left = {key: job for key, job in jobs.items() if key not in known}
    results = pool.map(work, left.values())
    bar = tqdm(results, what, len(jobs), initial=len(jobs) - len(left), mininterval=5)
    for key, result in zip(left, bar, strict=True):
        known[key] = result
        if path:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, result]) + "\n")
    return [known[key] for key in jobs]
