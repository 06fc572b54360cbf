"""Many exemplars as one matrix, whose scores are comparable (Massa, Russell and Aubry, CVPR 2016; calibration after
Aubry et al., "Seeing 3D chairs", CVPR 2014): of each, the mean over random windows is -1 and their 99.99th percentile
0, an affine map that is folded into the matrix."""

from collections.abc import Iterator

import numpy as np

from perception.errors import BlockworldError

PERCENTILE = 99.99
AT_ONCE_BYTES = 64 * 2**20
"""Of scores, while exemplars are calibrated or windows scored."""


class Exemplars:
    """matrix (E, D) float32 and offset (E,): scores of features of unit length are their product, and the offset."""

    def __init__(self, features: np.ndarray) -> None:
        """Of features (E, D), uncalibrated: scores are cosines."""
        self.matrix, self.offset = unit(features), np.zeros(len(features), np.float32)

    def calibrated(self, negatives: np.ndarray) -> "Exemplars":
        """The same, with scores in which features (N, D) of random windows have mean -1 and `PERCENTILE` 0. Raises
        BlockworldError where these cannot be told apart by an exemplar."""
        windows = unit(negatives)
        found = Exemplars.__new__(Exemplars)
        found.matrix, found.offset = np.empty_like(self.matrix), np.empty_like(self.offset)
        step = max(1, AT_ONCE_BYTES // (8 * len(windows)))  # percentiles sort a copy
        for first in range(0, len(self.matrix), step):
            part = slice(first, first + step)
            scores = self.matrix[part] @ windows.T + self.offset[part, None]
            mean, high = scores.mean(axis=1), np.percentile(scores, PERCENTILE, axis=1).astype(np.float32)
            if not (high - mean > 1e-6).all():
                raise BlockworldError("random windows all score the same, so nothing can be calibrated: give others.")
            gain = 1 / (high - mean)
            found.matrix[part] = self.matrix[part] * gain[:, None]
            found.offset[part] = (self.offset[part] - high) * gain
        return found

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(B, E) float32 of features (B, D) of any length. Raises BlockworldError for those of another backbone."""
        return unit(self._checked(features)) @ self.matrix.T + self.offset

    def scored(self, features: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """The same a bounded number of windows at a time: which windows, and their scores (b, E)."""
        step = max(1, AT_ONCE_BYTES // (4 * len(self.matrix)))
        for first in range(0, len(features), step):
            part = slice(first, min(first + step, len(features)))
            yield part, self.scores(features[part])

    def _checked(self, features: np.ndarray) -> np.ndarray:
        if features.shape[1] != self.matrix.shape[1]:
            raise BlockworldError(
                f"the exemplars have {self.matrix.shape[1]} numbers each and the features {features.shape[1]}: they "
                "are of another backbone or layer, so make them anew with this one."
            )
        return features


def unit(features: np.ndarray) -> np.ndarray:
    """(N, D) float32, each of length 1; of length 0 what has none."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), np.float32)
