"""Pictures read ahead of the network that needs them."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from training.art.pictures import Picture, read_picture

AHEAD = 4
T = TypeVar("T")


def read_ahead(wanted: Iterable[tuple[T, Path | None]]) -> Iterator[tuple[T, "Future[Picture] | None"]]:
    """Each with the picture of its file, None where no file is given; while one is used, the next few are read.

    The result of a future raises ImageError as `read_picture` does.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="pictures") as reader:
        waiting: deque[tuple[T, Future[Picture] | None]] = deque()
        for one, path in wanted:
            waiting.append((one, None if path is None else reader.submit(read_picture, path)))
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
