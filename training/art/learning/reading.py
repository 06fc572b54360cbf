"""The pictures that are learned on."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from perception.errors import BlockworldError, ImageError
from perception.picture_folder import Found, Problem, picture_files, shown, told_apart
from training.art.pictures import Picture, read_picture
from training.art.read_ahead import read_ahead

LEAST_PICTURES = 2
"""Of a collection: a detail is looked for in other pictures than its own."""


def in_order(paths: Sequence[Path], numbers: Iterable[int]) -> Iterator[Picture]:
    """The pictures of those numbers, in that order, some of them read in advance. Raises ImageError as `read_picture`
    does."""
    for _, reading in read_ahead((number, paths[number]) for number in numbers):
        assert reading is not None
        yield reading.result()


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
