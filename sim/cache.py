"""Files that can be made again, kept in the user's cache folder."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

CACHE_VARIABLE = "BLOCKWORLD_CACHE"


def cache_dir() -> Path:
    """The folder that BLOCKWORLD_CACHE names, else blockworld/ in XDG_CACHE_HOME, else in ~/.cache."""
    if explicit := os.environ.get(CACHE_VARIABLE):
        return Path(explicit)
    home = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home else Path("~").expanduser() / ".cache"
    return base / "blockworld"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache, filled by `make` if it is not there yet.

    The folder appears whole or not at all. Of several processes that make it at once, one wins and all return its
    folder, so `make` must depend on nothing that `name` does not tell. Raises OSError where nothing can be written.
    """
    target = cache_dir() / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        make(scratch)
        scratch.chmod(0o755)
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another process was faster
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target
