"""Pictures read ahead of the network that needs them."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from perception.errors import BlockworldError, ImageError
from training.art.collection import Found, Problem, picture_files, told_apart
from training.art.pictures import Picture, read_picture, shown

_AHEAD = 4
LEAST_PICTURES = 2
"""Of a collection: a detail is looked for in other pictures than its own."""


def read_ahead(paths: Sequence[Path], numbers: Iterable[int]) -> Iterator[Picture]:
    """The pictures of those numbers, in that order, some of them read in advance. Raises ImageError as `read_picture`
    does."""
    with ThreadPoolExecutor(1, thread_name_prefix="pictures") as reader:
        waiting: deque[Future[Picture]] = deque()
        for number in numbers:
            waiting.append(reader.submit(read_picture, paths[number]))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def usable_pictures(folder: Path, progress: bool = False) -> tuple[list[Found], list[Problem]]:
    """The pictures in and below a folder, each once, all of which can be read; and what is wrong with others.

    Raises BlockworldError where the folder cannot be read, or fewer than two pictures are left.
    """
    files, problems = picture_files(folder)
    found = []
    for one in tqdm(
        told_apart(files), total=len(files), unit=" pictures", desc="reading", disable=None if progress else True
    ):
        if isinstance(one, Problem):
            problems.append(one)
        elif isinstance(one, Found):
            try:
                read_picture(one.path)
                found.append(one)
            except ImageError as error:
                problems.append(Problem(one.path, str(error)))
    if len(found) < LEAST_PICTURES:
        first = f" ({problems[0].sentence.rstrip('.')})" if problems else ""
        raise BlockworldError(
            f"{shown(folder)} has {len(found)} different pictures that can be used{first}: details are compared "
            f"between pictures, so name a folder with {LEAST_PICTURES} or more."
        )
    return found, problems
