"""The size and place in which networks see shapes: centred on the mean of even samples, their RMS distance from it 1.

Both follow a rotation of the shape exactly, move little when the samples are others, and average noise; the middle and
sides of a bounding box do none of this, and a single stray point moves them. Training normalises by these functions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.shapes.sampling import sample_areas
from perception.shapes.shape import Points

_CLOUD_SAMPLES = 400


@dataclass(frozen=True, eq=False)
class Frame:
    """Centre (..., 3) and scale (...) of shapes in their own units."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def normalised(self, points: NDArray[np.floating]) -> Points:
        """Points (..., N, 3) in the shapes' units, as the network sees them."""
        return (points - self.centre[..., None, :]) / self.scale[..., None, None]

    def restored(self, points: NDArray[np.floating]) -> Points:
        """Points (..., N, 3) as the network sees them, in the shapes' units."""
        return np.asarray(points * self.scale[..., None, None] + self.centre[..., None, :], dtype=np.float64)


def frame_of(samples: NDArray[np.floating], areas: NDArray[np.floating] | None = None) -> Frame:
    """The frame of even samples (..., N, 3) of one shape, or of each of a batch; they are not all in one place.

    areas (..., N), in any unit: how much of the surface each sample stands for, where they are not even.
    """
    points = np.asarray(samples, dtype=np.float64)
    parts = np.ones(points.shape[:-1]) if areas is None else np.asarray(areas, dtype=np.float64)
    parts = parts / parts.sum(axis=-1, keepdims=True)
    centre = (parts[..., None] * points).sum(axis=-2)
    away = points - centre[..., None, :]
    return Frame(centre, np.sqrt((parts * (away**2).sum(axis=-1)).sum(axis=-1)))


def frame_of_cloud(samples: Points) -> Frame:
    """The frame of the surface that `regular_samples` (N, 3) of a cloud lie on, however uneven the cloud is.

    Of the first, which are spread evenly, each by its area. The last of many lie where the cloud is dense, and where it
    is thin there is nothing left to take.
    """
    few = samples[:_CLOUD_SAMPLES]
    return frame_of(few, sample_areas(few))
