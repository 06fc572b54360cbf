"""Features without the medium: each channel of a picture with mean 0 and deviation 1, then unit vectors again.

The mean and deviation of a network's channels over a picture are its style (Huang, Belongie, "Arbitrary style transfer
in real time with adaptive instance normalization", ICCV 2017). Without them an engraving is nearer to the painting that
it is after than to the next engraving. Not of ArtMiner; what it brings is for a benchmark to say.
"""

import numpy as np
from numpy.typing import NDArray

from training.art.features import Features
from training.art.matching import single

LEAST_DEVIATION = 0.01
"""Of a channel: what hardly changes in a picture is not made to count."""
EVERY = 3
"""Of so many cells one is used for the mean and the deviation."""


def standardised(features: Features) -> Features:
    """The same grids, their channels standardised over the cells of all of them; cells of nothing stay zero."""
    channels = features.grids[0].shape[2]
    sample = np.concatenate([single(grid).reshape(-1, channels)[::EVERY] for grid in features.grids])
    mean, deviation = sample.mean(axis=0), sample.std(axis=0)
    scale = 1 / np.maximum(deviation, LEAST_DEVIATION)
    return Features(features.size, tuple(_standardised(grid, mean, scale) for grid in features.grids))


def _standardised(
    grid: NDArray[np.float16], mean: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.float16]:
    values = (single(grid) - mean) * scale
    values /= np.maximum(np.linalg.norm(values, axis=2, keepdims=True), 1e-6)
    return values.astype(np.float16)
