"""Engines that were built for one machine, on disk: found again only for what they were built for.

A file is a line of JSON - what it was built for, and size and SHA-256 of what follows - and the serialized engine. It
is written beside its place and moved there, so that a reader sees all of it or nothing.
"""

import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from perception.bounded_files import open_regular
from perception.errors import EngineError

ENGINES_VARIABLE = "BLOCKWORLD_ENGINES"
FORMAT = 1
_MOST_HEADER = 4096  # bytes; read before anything in the file is believed
_MOST_ENGINE = 1 << 31


@dataclass(frozen=True)
class EngineKey:
    """What an engine was built for.

    bundle: its name. model_sha256: of the ONNX file. builder: software and version. device, capability: name and
    compute capability of the GPU. most_images: the largest batch.
    """

    bundle: str
    model_sha256: str
    precision: str
    builder: str
    device: str
    capability: str
    most_images: int

    @property
    def file_name(self) -> str:
        """Of the engine: readable, and different for different keys."""
        text = json.dumps(asdict(self), sort_keys=True)
        bundle = re.sub(r"[^A-Za-z0-9_-]", "_", self.bundle)[:64]  # no separators, and no more than a name holds
        return f"{bundle}-{self.precision}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.engine"


def engines_dir() -> Path:
    """The folder that BLOCKWORLD_ENGINES names, else blockworld/engines in the user's cache."""
    named = os.environ.get(ENGINES_VARIABLE)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(cache) / "blockworld" / "engines"


def write_engine(folder: Path, key: EngineKey, engine: bytes) -> Path:
    """Writes the engine, replacing what is there; raises EngineError where the folder cannot be written."""
    header = {"format": FORMAT, **asdict(key), "bytes": len(engine), "sha256": hashlib.sha256(engine).hexdigest()}
    path = folder / key.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, json.dumps(header, sort_keys=True).encode() + b"\n" + engine)
    except OSError as error:
        raise EngineError(
            f"the engine cannot be written to {folder} ({error.strerror}): make room, or name another folder in "
            f"{ENGINES_VARIABLE}."
        ) from None
    return path


def read_engine(folder: Path, key: EngineKey) -> bytes:
    """The engine that was built for exactly this; raises EngineError, with what is wrong, where there is none."""
    path = folder / key.file_name
    try:
        with open_regular(path) as (file, whole):
            line = file.readline(_MOST_HEADER)
            header = _header(path, line)
            size = header["bytes"]
            if whole != len(line) + size:
                raise EngineError(f"{path} is not as long as it says: it is cut off or damaged.")
            engine = file.read(size)
    except FileNotFoundError:
        raise EngineError(f"there is no engine of {key.bundle} in {key.precision} for {key.device}.") from None
    except OSError as error:
        raise EngineError(f"{path} cannot be read ({error.strerror}).") from None
    wrong = [one.name for one in fields(key) if header.get(one.name) != getattr(key, one.name)]
    if wrong:
        raise EngineError(f"{path} was built for another {wrong[0]}.")
    if hashlib.sha256(engine).hexdigest() != header.get("sha256"):
        raise EngineError(f"{path} is damaged: its checksum is another one.")
    return engine


def write_whole(path: Path, content: bytes) -> None:
    """All of a file or nothing of it, also when the power fails."""
    number, scratch = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _header(path: Path, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise EngineError(f"{path} is not an engine of this software.") from None
    size = found.get("bytes") if isinstance(found, dict) else None
    if not isinstance(size, int) or found.get("format") != FORMAT:
        raise EngineError(f"{path} is an engine of another version of this software.")
    if not 0 < size <= _MOST_ENGINE:
        raise EngineError(f"{path} says that it has {size} bytes: it is damaged.")
    return found
