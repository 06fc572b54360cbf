"""The folder of a data set: whose it is, who may write in it, and what is there."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from perception.configuration import validated
from sim.dataset.config import FORMAT, DatasetConfig, StoredConfig
from sim.dataset.journal import no_room, part_of, whole_scenes

IDENTITY = "dataset.yaml"
SCRATCH = ".dataset.yaml.part"
LOCK = ".lock"
HEADING = "# Made by `blockworld dataset build`, which refuses to mix in images of anything else.\n"


def shard_path(out: Path, shard: int) -> Path:
    """File of one shard."""
    return out / f"shard-{shard:05d}.tar"


def read_config(out: Path) -> DatasetConfig:
    """The configuration of the data set in `out`; the files that it names may be gone.

    Raises ValueError where there is no data set, and BlockworldError for values that cannot be.
    """
    stored = validated(StoredConfig, _identity(out)["config"], str(out / IDENTITY))
    return DatasetConfig.model_construct(**dict(stored))


def read_device(out: Path) -> str | None:
    """What drew the images in `out`; None before there is one."""
    device = _identity(out)["device"]
    return None if device is None else str(device)


@contextmanager
def claimed(config: DatasetConfig, out: Path, overwrite: bool = False) -> Iterator[None]:
    """Keeps `out` for this process and this configuration.

    overwrite: a data set that is there and another one is erased first; other files are left alone. Raises
    ValueError where another data set is there, another process writes, or nobody can.
    """
    lock = _lock(out)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"another process is building in {out}: wait for it, or stop it first.") from error
        (out / SCRATCH).unlink(missing_ok=True)  # left by a process that was killed
        _claim(config, out, overwrite)
        yield
    finally:
        os.close(lock)


def settle_device(out: Path, device: str) -> None:
    """Record what draws the images; raises ValueError where earlier ones were drawn by something else."""
    identity = _identity(out)
    known = identity["device"]
    if known is None:
        _write(out, identity | {"device": device})
    elif known != device:
        raise ValueError(
            f"the images in {out} were drawn by {known}, and here {device} would go on, which may draw other bytes: "
            "go on where it was begun and with the same versions, or build into another folder."
        )


def present_scenes(config: DatasetConfig, out: Path, shard: int) -> int:
    """How many scenes of a shard are in `out` already."""
    path = shard_path(out, shard)
    if path.is_file():
        return len(config.scenes_of(shard))
    if not part_of(path).is_file():
        return 0
    return whole_scenes(part_of(path).read_bytes(), config.scenes_of(shard).start, config.views)[0]


def present_images(config: DatasetConfig, out: Path) -> int:
    """How many images are in `out` already, where that is a data set of this configuration; raises ValueError where
    `out` cannot be read."""
    try:
        if not (out / IDENTITY).is_file():
            return 0
        return sum(present_scenes(config, out, shard) for shard in range(config.shards)) * config.views
    except OSError as error:
        raise ValueError(f"{out} cannot be read ({error.strerror}): choose a folder of yours.") from error


def _lock(out: Path) -> int:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return os.open(out / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if no_room(error):
            raise
        raise ValueError(f"{out} cannot be written ({error.strerror}): choose a folder of yours.") from error


def _claim(config: DatasetConfig, out: Path, overwrite: bool) -> None:
    known, shards = (out / IDENTITY).exists(), _shards(out)
    if known and _fits(config, out):
        return
    if shards and not overwrite:
        raise ValueError(
            f"{out} already holds another data set (see {out / IDENTITY}): choose another folder, or give "
            "--overwrite to erase it."
            if known
            else f"{out} already holds {shards[0].name}, but no {IDENTITY} that says what it belongs to: choose "
            "another folder, or give --overwrite to erase all shards there."
        )
    (out / IDENTITY).unlink(missing_ok=True)
    for path in shards:
        path.unlink()
    identity = {"format": FORMAT, "fingerprint": config.fingerprint, "device": None}
    _write(out, identity | {"config": config.model_dump(mode="json")})


def _fits(config: DatasetConfig, out: Path) -> bool:
    try:
        return bool(_identity(out)["fingerprint"] == config.fingerprint)
    except ValueError:
        return False


def _shards(out: Path) -> list[Path]:
    return sorted([*out.glob("shard-*.tar"), *out.glob("shard-*.tar.part"), *out.glob("shard-*.npz")])


def _identity(out: Path) -> dict[str, Any]:
    path = out / IDENTITY
    try:
        identity = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"{out} holds no data set: build one there with `blockworld dataset build`."
        ) from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): give the folder of a data set.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: build the data set anew, into another folder.") from error
    if not isinstance(identity, dict) or {"format", "fingerprint", "device", "config"} - identity.keys():
        raise ValueError(f"{path} is damaged: build the data set anew, into another folder.")
    if identity["format"] != FORMAT:
        raise ValueError(
            f"{path} has format {identity['format']!r}, but this software reads {FORMAT}: build the data set anew."
        )
    return identity


def _write(out: Path, identity: dict[str, Any]) -> None:
    """Replaces the file in one step, so that it is whole at any time."""
    scratch = out / SCRATCH
    with scratch.open("w", encoding="utf-8") as file:
        file.write(HEADING + yaml.safe_dump(identity, sort_keys=False))
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(out / IDENTITY)
