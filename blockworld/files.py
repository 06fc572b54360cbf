"""Files that commands write: named for what they hold, and whole or not at all."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from perception.errors import BlockworldError


class NewFile(click.Path):
    """The type of an option that names a file to write, with one of these endings (".png", ...), in a folder that can
    be written to: what takes minutes is not to fail at its end."""

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """See click.ParamType."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix.lower() not in self.endings:
            self.fail(f"{path.name!r} is to end in {' or '.join(self.endings)}.", param, ctx)
        if not os.access(path.parent, os.W_OK):
            missing = errno.EACCES if path.parent.is_dir() else errno.ENOENT
            self.fail(_cannot_write(path, os.strerror(missing)), param, ctx)
        return path


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all of the files or none; what stood there stays until all are complete. Raises BlockworldError."""
    scratches: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratches[path] = scratch
            scratch.write_bytes(content)
        for path, scratch in scratches.items():
            scratch.replace(path)
    except OSError as error:
        raise BlockworldError(_cannot_write(path, error.strerror)) from error
    finally:
        for scratch in scratches.values():
            with suppress(OSError):
                scratch.unlink()


def _cannot_write(path: Path, why: str | None) -> str:
    return f"cannot write {path}: {why}; choose a folder that exists, can be written to and has room."
