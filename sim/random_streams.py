"""One independent random stream per purpose: a change to one part of a scene leaves all other parts as they were."""

import zlib

import numpy as np


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose ("camera", "light", ...) of scene `index` of the series `seed`.

    Philox is counter-based (Salmon et al., SC 2011): streams keyed by different numbers are independent, and a
    scene can be sampled without those before it.
    """
    return np.random.Generator(
        np.random.Philox(np.random.SeedSequence([seed, index, zlib.crc32(purpose.encode())]))
    )
