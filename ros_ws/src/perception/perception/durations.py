"""How long things took lately: the last few hundred durations, and what is typical of them."""

from __future__ import annotations

from collections import deque

import numpy as np


class Durations:
    """The last `kept` durations in seconds."""

    def __init__(self, kept: int = 300) -> None:
        self._lately: deque[float] = deque(maxlen=kept)

    def add(self, seconds: float) -> None:
        """Note one more."""
        self._lately.append(seconds)

    @property
    def median_s(self) -> float | None:
        """Half of them took longer; None before the first."""
        return float(np.median(self._lately)) if self._lately else None

    @property
    def longest_s(self) -> float | None:
        """The longest one; None before the first."""
        return max(self._lately, default=None)
