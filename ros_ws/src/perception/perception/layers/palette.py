"""Exactly so many colours: those of layers grouped, each by how much of the picture it covers."""

import numpy as np

from perception.layers.grid import Floats

_ROUNDS = 50


def limited(colours: Floats, weights: Floats, count: int) -> Floats:
    """Colours (T, 3) replaced by `count` of their weighted means, by k-means from the farthest colours on; as they are
    where there are no more than that."""
    distinct = np.unique(np.round(colours * 255), axis=0)
    if len(distinct) <= count:
        return colours
    weights = np.maximum(weights, 1e-6)
    centres = colours[[int(np.argmax(weights))]]
    while len(centres) < count:
        away = ((colours[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1)
        centres = np.concatenate([centres, colours[[int(np.argmax(away * weights))]]])
    for _ in range(_ROUNDS):
        nearest = ((colours[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        moved = np.stack([
            np.average(colours[nearest == k], axis=0, weights=weights[nearest == k]) if (nearest == k).any() else centre
            for k, centre in enumerate(centres)
        ])  # fmt: skip
        if np.allclose(moved, centres):
            break
        centres = moved
    nearest = ((colours[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(centres[nearest], np.float32)
