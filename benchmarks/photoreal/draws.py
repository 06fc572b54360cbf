"""Random draws of the photoreal sets: a stream of its own per set, pose and purpose."""

import zlib

import numpy as np

SETS = ("lab", "field", "adv")
SERIES = 4021  # changes every picture of all sets


def draws(name: str, pose: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose ("block", "lamps", ...) of pose `pose` of the set `name`."""
    words = [SERIES, SETS.index(name), pose, zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(words)))
