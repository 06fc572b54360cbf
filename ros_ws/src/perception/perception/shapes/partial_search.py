"""Which way a part of a shape is turned, such as what a camera sees of it.

The middle and size of a part are others than those of the whole, and the encoder has hardly seen parts. So the
template, as the encoder sees the whole of it, is laid over the part by closest points (Besl and McKay, "A method for
registration of 3-D shapes", 1992) from a grid of rotations, with place and size free; deforming it is left to the
regression.
"""

import numpy as np
from scipy.spatial import cKDTree

from perception.shapes.chamfer import neighbours
from perception.shapes.deformation import DeformationNetwork, Floats
from perception.shapes.pose_search import Progress, Start, peaks
from perception.shapes.shape import Points
from perception.shapes.similarity import Similarity, fitted

REACH = 0.3
"""RMS radii: how far off a part of the template counts at most."""
_SCALES = (0.75, 1.35)
_POINTS, _TEMPLATE, _TURNS = 250, 500, 8


def partial_starts(
    network: DeformationNetwork, samples: Points, template: Points, grid: Points, count: int, progress: Progress
) -> list[Start]:
    """The best poses of the template over normalised samples (N, 3) of a part, the best first, begun from the rotations
    (R, 3, 3) of a grid; template (M, 3). The first of samples and template are spread evenly, too."""
    latent = network.encode(template[None])[0]
    some = network.decode(latent[None], template[:_TEMPLATE])[0].astype(np.float64)
    few, tree = samples[:_POINTS], cKDTree(some)
    found = []
    for i, rotation in enumerate(grid):
        found.append(_laid(latent, Similarity.turned(rotation), few, some, tree))
        progress((i + 1) / len(grid))
    return peaks(found, count)


def _laid(latent: Floats, pose: Similarity, samples: Points, deformed: Points, tree: cKDTree) -> Start:
    everywhere = np.ones(len(samples))
    for _ in range(_TURNS):
        nearest = tree.query(pose.undo(samples))[1]
        pose = fitted(deformed[nearest], samples, everywhere, _SCALES)
    found = neighbours(pose.apply(deformed), samples, cKDTree(samples))
    return Start(latent, pose, found.truncated(REACH))
