"""Arrays that are made in parts on all cores, and survive an interruption at any moment."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from perception.errors import BlockworldError

Job = tuple[Path, Callable[[Sequence[Any]], np.ndarray], Sequence[Any]]


def make_parts(
    folder: Path, name: str, described: str, items: Sequence[Any], size: int,
    made_of: Callable[[Sequence[Any]], np.ndarray], progress: bool,
) -> None:
    """Write what is missing of folder/NAME-00000.npy, ...: what `made_of` makes of each `size` items.

    Raises BlockworldError where the folder holds arrays that something else is described by.
    """
    label = folder / f"{name}.txt"
    if label.exists() and label.read_text(encoding="utf-8") != described:
        raise BlockworldError(f"{folder} holds {name} of another configuration: delete it, or name another folder.")
    jobs: list[Job] = [
        (path, made_of, items[number * size : (number + 1) * size])
        for number, (path, rows) in enumerate(_files(folder, name, len(items), size).items())
        if not path.exists() or len(np.load(path, mmap_mode="r")) < rows
    ]
    if not jobs:
        return
    folder.mkdir(parents=True, exist_ok=True)
    label.write_text(described, encoding="utf-8")
    total = sum(len(job[2]) for job in jobs)
    with tqdm(total=total, unit=f" {name}", disable=not progress, mininterval=2) as bar:
        for count in _done(jobs):
            bar.update(count)


class Rows:
    """The rows of all parts, mapped into memory."""

    def __init__(self, folder: Path, name: str, count: int, size: int) -> None:
        files = _files(folder, name, count, size)
        self._parts = [np.load(path, mmap_mode="r")[:rows] for path, rows in files.items()]
        self._ends = np.cumsum([len(part) for part in self._parts])
        self._numbers: Sequence[int] = range(int(self._ends[-1]))

    def __len__(self) -> int:
        return len(self._numbers)

    def chosen(self, numbers: Sequence[int]) -> "Rows":
        """Those rows alone, in that order."""
        found = copy(self)
        found._numbers = [self._numbers[number] for number in numbers]
        return found

    def __getitem__(self, number: int) -> np.ndarray:
        index = self._numbers[number]
        part = int(np.searchsorted(self._ends, index, side="right"))
        first = 0 if part == 0 else int(self._ends[part - 1])
        return np.asarray(self._parts[part][index - first])


def _files(folder: Path, name: str, count: int, size: int) -> dict[Path, int]:
    """Where the parts are, and how many rows each has."""
    firsts = range(0, count, size)
    return {folder / f"{name}-{first // size:05d}.npy": min(size, count - first) for first in firsts}


def _done(jobs: list[Job]) -> Iterator[int]:
    cores = len(sched_getaffinity(0))
    if len(jobs) == 1 or cores == 1:
        yield from map(_write, jobs)
        return
    with ProcessPoolExecutor(min(cores, len(jobs)), get_context("spawn")) as pool:
        yield from pool.map(_write, jobs)


def _write(job: Job) -> int:
    path, made_of, items = job
    scratch = path.with_suffix(".part")
    with scratch.open("wb") as file:
        np.save(file, made_of(items))
    scratch.replace(path)
    return len(items)
