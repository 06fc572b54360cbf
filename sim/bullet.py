"""PyBullet, imported without the banner that it prints.

Every module of `sim` takes it from here, so that commands print what they have to say and nothing else.
"""

import importlib
import os
import sys
from types import ModuleType

from perception.errors import BlockworldError


def _import_silently(name: str) -> ModuleType:
    """The module of that name; what its C code prints on standard error while it is imported is dropped."""
    if known := sys.modules.get(name):
        return known
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        module = importlib.import_module(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
    return module


try:
    pybullet = _import_silently("pybullet")
except ModuleNotFoundError as missing:
    raise BlockworldError(
        "physics and the renderer 'tiny' need PyBullet: install it with pip install 'blockworld[sim]', or draw with "
        "the renderer 'gl'."
    ) from missing
