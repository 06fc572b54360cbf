"""Values drawn from ranges. Each draw takes as much from its stream whatever the range, so that what is drawn after
it from the same stream stays as it was when a range changes."""

from collections.abc import Mapping

import numpy as np

from sim.randomization.ranges import Count, Span
from sim.scene import Colour


def within(rng: np.random.Generator, span: Span) -> float:
    """A number of the range."""
    return span[0] + (span[1] - span[0]) * rng.random()


def count_within(rng: np.random.Generator, span: Count) -> int:
    """A whole number of the range, both ends included."""
    return min(span[0] + int((span[1] - span[0] + 1) * rng.random()), span[1])


def happens(rng: np.random.Generator, share: float) -> bool:
    """True in that share of all cases."""
    return bool(rng.random() < share)


def one_of(rng: np.random.Generator, weighted: Mapping[str, float]) -> str:
    """A name, drawn in proportion to its weight; the order in which names are given does not matter."""
    names = sorted(weighted)
    left = rng.random() * sum(weighted[name] for name in names)
    for name in names:
        left -= weighted[name]
        if left < 0:
            return name
    return max(name for name, weight in weighted.items() if weight > 0)  # rounding ate the last bit


def colour(red: float, green: float, blue: float) -> Colour:
    """The colour with its parts limited to [0, 1]."""
    return (min(max(float(red), 0.0), 1.0), min(max(float(green), 0.0), 1.0), min(max(float(blue), 0.0), 1.0))
