"""A similarity transform: how the deformed template lies in the normalised shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.shapes.shape import Points


@dataclass(frozen=True, eq=False)
class Similarity:
    """x = scale * rotation @ y + translation, with rotation (3, 3) and translation (3,)."""

    rotation: Points
    translation: Points
    scale: float = 1.0

    @classmethod
    def turned(cls, rotation: Points) -> "Similarity":
        """A rotation (3, 3) about the origin."""
        return cls(rotation, np.zeros(3))

    def apply(self, points: NDArray[np.floating]) -> Points:
        """x (N, 3) of y (N, 3)."""
        return np.asarray(self.scale * points @ self.rotation.T + self.translation, dtype=np.float64)

    def undo(self, points: NDArray[np.floating]) -> Points:
        """y (N, 3) of x (N, 3)."""
        return np.asarray((points - self.translation) @ self.rotation / self.scale, dtype=np.float64)


def fitted(
    source: Points, target: Points, weights: Points, scales: tuple[float, float] = (0.0, np.inf)
) -> Similarity:
    """The similarity of least squares, of a scale between these, from points (N, 3) to those of the same index, of
    weights (N,): Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991."""
    share = weights / weights.sum()
    middle, aim = share @ source, share @ target
    centred, wanted = source - middle, target - aim
    left, stretch, right = np.linalg.svd((share[:, None] * wanted).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float(np.clip((stretch * signs).sum() / (share @ (centred**2).sum(axis=1)), *scales))
    return Similarity(rotation, aim - scale * rotation @ middle, scale)
