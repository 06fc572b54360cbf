"""A folder of pictures of which something is made and kept, and what came of each file: a bad one stops no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from perception.file_digests import FileDigests
from perception.picture_folder import Duplicate, Found, Problem, picture_files

Digesting = Callable[[Path], str]
"""Gives the SHA-256 of a file's bytes, as `content_digest` does, or knows it already."""


@dataclass(frozen=True)
class Indexed:
    """A picture of which there is what is wanted."""

    picture: Found
    made: bool
    """Whether it was made just now."""


@dataclass
class Index:
    """What came of a folder; pictures in the order of their names."""

    pictures: list[Found] = field(default_factory=list)
    """Of which there is what is wanted."""
    made: int = 0
    """Of these, how many it was made of just now."""
    duplicates: list[Duplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, one: Indexed | Duplicate | Problem) -> None:
        """Take in what came of a file."""
        if isinstance(one, Duplicate):
            self.duplicates.append(one)
        elif isinstance(one, Problem):
            self.problems.append(one)
        else:
            self.pictures.append(one.picture)
            self.made += one.made


Making = Callable[[list[Path], Digesting], Iterator[Indexed | Duplicate | Problem]]
"""Makes and keeps what is lacking, and tells what came of each file, in any order."""


def look_through(folder: Path, cache: Path, make: Making, progress: bool = False) -> Index:
    """What came of all pictures in and below a folder. cache: a folder in which it is kept what is in files.
    progress: whether a bar is shown, on a terminal.

    Interrupted at any moment, it loses the picture in hand: the next time it goes on from there. Raises BlockworldError
    where the folder cannot be read, or as `make` does.
    """
    files, problems = picture_files(folder)
    index, known = Index(problems=problems), FileDigests(cache, folder, files)
    with tqdm(total=len(files), unit=" pictures", disable=None if progress else True) as bar:
        try:
            for one in make(files, known.digest):
                index.add(one)
                bar.update()
        finally:
            known.save()
    place = {path: number for number, path in enumerate(files)}
    index.pictures.sort(key=lambda one: place[one.path])
    index.problems.sort(key=lambda one: place.get(one.path, -1))
    return index
