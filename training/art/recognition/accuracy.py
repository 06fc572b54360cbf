"""How often recognition is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Accuracy:
    """Shares of queries, in [0, 1]."""

    top_1: float
    top_5: float
    per_class: Mapping[str, tuple[int, float, float]]
    """Of each class: how many queries, and the shares of these."""


def accuracy(labels: Sequence[str], ranked: Sequence[Sequence[str]]) -> Accuracy:
    """labels: of each query the true class; ranked: the classes it was given, best first."""
    pairs = [(label, list(one)) for label, one in zip(labels, ranked, strict=True)]
    ranks = np.array([one.index(label) if label in one else len(one) + 5 for label, one in pairs])
    each = {}
    for name in sorted(set(labels)):
        own = ranks[[label == name for label in labels]]
        each[name] = (len(own), float((own == 0).mean()), float((own < 5).mean()))
    return Accuracy(float((ranks == 0).mean()), float((ranks < 5).mean()), each)
