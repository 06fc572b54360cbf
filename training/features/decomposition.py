"""Features as a sum of what each factor does and a residual (Aubry and Russell, ICCV 2015, equations 2.1 to 2.4).

With features centred, F_k(t) is their mean over all pictures whose factor k has the value t, and the residual of a
picture is its feature less the F_k of its values. In a full factorial design these parts are orthogonal, so that their
mean squares add up to the variance of the features. No feature is kept: a first pass sums them for each value, a second
one, with the means known, measures what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perception.errors import BlockworldError

EXPLAINED = 0.9
"""Of a factor's variance by as many components as its intrinsic dimension says."""
TOLERANCE = 1e-6
"""How far the shares of all parts may be from 1 in sum."""


class Sums:
    """The first pass over the features (N, D) of one layer: their sums for each value of each factor."""

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = tuple(counts)
        self._pictures = [np.zeros(count, np.int64) for count in counts]
        self._sums: list[np.ndarray] = []
        self._origin = np.zeros(0)
        self._squares = 0.0

    def add(self, features: np.ndarray, levels: np.ndarray) -> None:
        """Take in features (B, D) of pictures with these values (B, K) of the factors."""
        if not self._sums:
            self._origin = features.mean(axis=0, dtype=np.float64)  # near the mean, so that nothing cancels
            self._sums = [np.zeros((count, features.shape[1])) for count in self._counts]
        x = features - self._origin
        self._squares += float(np.einsum("bd,bd->", x, x))
        for k, count in enumerate(self._counts):
            one_hot = (levels[:, k, None] == np.arange(count)).astype(np.float64)
            self._pictures[k] += one_hot.sum(axis=0).astype(np.int64)
            self._sums[k] += one_hot.T @ x

    def marginals(self) -> "Marginals":
        """What the pass found. Raises ValueError where values are not all equally often there."""
        if not self._sums or any(len(set(one.tolist())) > 1 or not one.all() for one in self._pictures):
            raise ValueError("the design is not a full factorial: every value of a factor takes equally many pictures.")
        number = int(self._pictures[0].sum())
        mean = self._sums[0].sum(axis=0) / number
        parts = tuple(
            one / pictures[:, None] - mean for one, pictures in zip(self._sums, self._pictures, strict=True)
        )
        variance = self._squares / number - float(mean @ mean)
        return Marginals(self._origin + mean, parts, variance, number)


@dataclass(frozen=True, eq=False)
class Marginals:
    """mean (D,) of the features; parts: F_k, (number of values, D) each, of the factors; variance: mean squared
    distance of features from their mean; pictures: how many there were."""

    mean: np.ndarray
    parts: tuple[np.ndarray, ...]
    variance: float
    pictures: int


class Residual:
    """The second pass over the features of one layer: mean square of what no factor explains."""

    def __init__(self, marginals: Marginals) -> None:
        self._marginals = marginals
        self._squares, self._number = 0.0, 0

    def add(self, features: np.ndarray, levels: np.ndarray) -> None:
        """Take in features (B, D) of pictures with these values (B, K) of the factors."""
        left = features - self._marginals.mean
        for part, level in zip(self._marginals.parts, levels.T, strict=True):
            left -= part[level]
        self._squares += float(np.einsum("bd,bd->", left, left))
        self._number += len(left)

    @property
    def variance(self) -> float:
        """Mean square."""
        return self._squares / self._number


@dataclass(frozen=True, eq=False)
class Component:
    """One factor's part of a layer. share: of the variance, R_k. dimension: components for `EXPLAINED` of it.
    embedding (number of values, 2): the values along the first two components."""

    share: float
    dimension: int
    embedding: np.ndarray


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A layer's features: each factor's part, in the order of the design, and the residual's share of the variance."""

    components: tuple[Component, ...]
    residual: float
    size: int


def decomposed(marginals: Marginals, residual: Residual) -> Decomposition:
    """Both passes together. Raises BlockworldError for features that do not vary, or not the same ones in both passes:
    then the shares do not add up to 1."""
    least = 1e-12 * max(1.0, float(marginals.mean @ marginals.mean))
    if not np.isfinite(marginals.variance) or marginals.variance <= least:
        raise BlockworldError("the features are the same for all pictures, or not finite: choose another layer.")
    components = tuple(component(one, marginals.variance) for one in marginals.parts)
    left = residual.variance / marginals.variance
    total = sum(one.share for one in components) + left
    if abs(total - 1) > TOLERANCE:
        raise BlockworldError(
            f"the shares add up to {total:.7f} instead of 1 (to {TOLERANCE:g}): the network gives the same picture "
            "different features, so put it into evaluation mode."
        )
    return Decomposition(components, left, len(marginals.mean))


def component(part: np.ndarray, variance: float) -> Component:
    """What F_k (number of values, D) says; variance: that of all features."""
    u, s, _ = np.linalg.svd(part, full_matrices=False)
    power = s**2
    total = float(power.sum())
    if total <= 1e-12 * variance * len(part):
        return Component(total / len(part) / variance, 0, np.zeros((len(part), 2)))
    dimension = int(np.searchsorted(np.cumsum(power) / total, EXPLAINED - 1e-12) + 1)
    embedding = np.zeros((len(part), 2))
    columns = min(2, len(s))
    embedding[:, :columns] = u[:, :columns] * s[:columns]
    return Component(total / len(part) / variance, dimension, embedding)
