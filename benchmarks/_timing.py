"""How long a call takes."""

import time
from collections.abc import Callable

import numpy as np


def timed(run: Callable[[], object], repeats: int = 7) -> float:
    """Median seconds of a call, after one to warm up."""
    run()
    durations = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        durations.append(time.perf_counter() - begin)
    return float(np.median(durations))
