"""Joint positions at the time of an image, from a stream of stamped joint states."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class JointHistory:
    """The latest joint positions (9,) by time; stamps in seconds or in nanoseconds, as long as all are alike.

    longest_gap: the longest time between two states across which a position is interpolated, and the longest
    time from a single state to which it is taken to hold. still_within: how much a joint (rad or m) may
    change between two states; a robot that moves more gives no position, because cameras and joints are not
    triggered together. span: how far back states are kept.
    """

    def __init__(self, longest_gap: float, span: float, still_within: float) -> None:
        self.longest_gap = longest_gap
        self.still_within = still_within
        self.span = span
        self._stamps: list[float] = []
        self._positions: list[Array] = []

    def add(self, stamp: float, positions: Array) -> None:
        """Keep positions (9,) at stamp; states may come in any order, a repeated one is replaced."""
        at = bisect_left(self._stamps, stamp)
        if at < len(self._stamps) and self._stamps[at] == stamp:
            self._positions[at] = positions
            return
        self._stamps.insert(at, stamp)
        self._positions.insert(at, positions)
        oldest = bisect_left(self._stamps, self._stamps[-1] - self.span)
        del self._stamps[:oldest], self._positions[:oldest]

    def forget(self) -> None:
        """Drop all states."""
        self._stamps.clear()
        self._positions.clear()

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def latest(self) -> float | None:
        """Stamp of the newest state."""
        return self._stamps[-1] if self._stamps else None

    def at(self, stamp: float) -> Array | None:
        """Positions (9,) at a time: between the states around it, else of the nearest, else None."""
        after = bisect_left(self._stamps, stamp)
        if after < len(self._stamps) and self._stamps[after] == stamp:
            return self._positions[after]
        if 0 < after < len(self._stamps):
            start, end = self._stamps[after - 1], self._stamps[after]
            before, then = self._positions[after - 1], self._positions[after]
            if np.abs(then - before).max() > self.still_within:
                return None
            if end - start <= self.longest_gap:
                share = (stamp - start) / (end - start)
                return before * (1.0 - share) + then * share
        near = [i for i in (after - 1, after) if 0 <= i < len(self._stamps)]
        near = [i for i in near if abs(self._stamps[i] - stamp) <= self.longest_gap]
        if not near:
            return None
        return self._positions[min(near, key=lambda i: abs(self._stamps[i] - stamp))]
