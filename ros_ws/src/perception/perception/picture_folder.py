"""A folder of pictures: which files are some, and which of them are the same."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from perception.bounded_files import open_regular
from perception.errors import BlockworldError, ImageError, reason

ENDINGS = (
    *(".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".tif", ".tiff", ".webp"),
)
"""Of files that are taken for pictures; those that cannot be opened are problems. Hidden files are left out."""


@dataclass(frozen=True)
class Found:
    """One file of a collection."""

    path: Path
    digest: str
    """SHA-256 of its bytes."""


@dataclass(frozen=True)
class Duplicate:
    """A file with the bytes of another."""

    path: Path
    of: Path


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file or a folder of a collection, which goes on without it."""

    path: Path
    sentence: str


def content_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits. Raises ImageError where it cannot be read, or is empty."""
    try:
        with open_regular(path) as (file, size):
            if size == 0:
                raise ImageError(f"{shown(path)} is empty: copy it again from where it came from.", "empty")
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except OSError as error:
        raise unreadable(path, error) from error


def shown(path: Path) -> str:
    """A file's name as it can be printed, on one line."""
    return "".join(one if one.isprintable() else "?" for one in str(path))


def unreadable(path: Path, error: OSError) -> ImageError:
    """The error of a file that the system does not let be read."""
    why = reason(error.strerror or error)
    return ImageError(f"{shown(path)} cannot be read ({why}): see to its permissions, or leave it out.", "file")


def picture_files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """All picture files in and below a folder, in the order of their names, and the folders that cannot be read.

    Links to files are followed, those to folders not. Raises BlockworldError where the folder itself cannot be read.
    """
    problems: list[Problem] = []

    def told(error: OSError) -> None:
        path = Path(error.filename)
        if path == folder:
            raise BlockworldError(
                f"the folder {shown(folder)} cannot be read ({reason(error.strerror)}): name one that can be."
            ) from error
        sentence = f"the folder {shown(path)} cannot be read ({reason(error.strerror)}): see to its permissions."
        problems.append(Problem(path, sentence))

    files = []
    for place, folders, names in os.walk(folder, onerror=told):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(place, name) for name in sorted(names) if _is_picture(name)]
    return files, problems


def told_apart(
    files: list[Path], digest_of: Callable[[Path], str] = content_digest
) -> Iterator[Found | Duplicate | Problem]:
    """What each file is, in their order: new, the same as an earlier one, or one that cannot be read."""
    first: dict[str, Path] = {}
    for path in files:
        try:
            digest = digest_of(path)
        except ImageError as error:
            yield Problem(path, str(error))
            continue
        if digest in first:
            yield Duplicate(path, first[digest])
        else:
            first[digest] = path
            yield Found(path, digest)


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(ENDINGS)
