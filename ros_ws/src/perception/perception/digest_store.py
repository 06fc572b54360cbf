"""What was made of pictures, on disk: a folder with one file for each, named by the SHA-256 of the picture's file.

Each is written whole or not at all. The folder knows what made its files, and refuses others.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from perception.errors import BlockworldError, reason

_SCRATCH = ".part"
_ABANDONED_S = 3600.0
_LARGEST_DESCRIPTION = 10_000


class DigestStore:
    """Files of one making, by the digest of their picture's file."""

    DESCRIPTION: ClassVar[str]
    """Name of the file that says what made the others."""
    ENDING: ClassVar[str]
    THINGS: ClassVar[str]
    MADE_BY: ClassVar[str]

    def __init__(self, folder: Path, key: str, more: dict[str, Any] | None = None) -> None:
        """Open or make the folder. key: what makes its files. more: what the description says beside that.

        Raises BlockworldError where the folder holds files of another making, or something else, or cannot be written
        to.
        """
        self.folder, self.key = folder, key
        with self.writing():
            folder.mkdir(parents=True, exist_ok=True)
            found = self.described(folder)
            if found is None:
                if any(path.suffix != _SCRATCH for path in folder.iterdir()):
                    raise BlockworldError(f"{folder} holds something else than {self.THINGS}: name an empty folder.")
                write_whole(folder / self.DESCRIPTION, [json.dumps({"key": key} | (more or {})).encode()])
            elif found.get("key") != key:
                raise BlockworldError(
                    f"{folder} holds {self.THINGS} that {self.MADE_BY} made: name another folder, or delete it."
                )
            _sweep(folder)

    @classmethod
    def described(cls, folder: Path) -> dict[str, Any] | None:
        """What a folder's description says: None where there is none, nothing where it is damaged."""
        try:
            found = json.loads((folder / cls.DESCRIPTION).read_bytes()[:_LARGEST_DESCRIPTION])
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def path(self, digest: str) -> Path:
        """Of the file of a picture."""
        return self.folder / digest[:2] / f"{digest}{self.ENDING}"

    def digests(self) -> set[str]:
        """Of all pictures that there is a file of."""
        return {path.stem for path in self.folder.glob(f"??/*{self.ENDING}")}

    def write(self, digest: str, parts: list[bytes | memoryview]) -> None:
        """Keep a picture's file; what stood there stays until this is complete. Raises BlockworldError where it cannot
        be written."""
        path = self.path(digest)
        with self.writing():
            path.parent.mkdir(exist_ok=True)
            write_whole(path, parts)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises BlockworldError for what the system says."""
        try:
            yield
        except OSError as error:
            raise BlockworldError(
                f"cannot write to the cache {self.folder} ({reason(error.strerror or error)}): name a folder that has "
                "room."
            ) from error


def write_whole(path: Path, parts: list[bytes | memoryview]) -> None:
    """Write a file of these parts, one after the other, or leave what stood there. Raises OSError."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}{_SCRATCH}")
    try:
        with scratch.open("wb") as file:
            file.writelines(parts)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Delete what runs that were killed had begun to write."""
    for path in (*folder.glob(f"*{_SCRATCH}"), *folder.glob(f"??/*{_SCRATCH}")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()
