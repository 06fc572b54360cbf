"""Non-rigid closest points: what the decoder of a network cannot say of a shape, as a smooth displacement of its mesh.

After latent regression the deformed template lies about a centimetre off a body, and more at the hands. Amberg et al.,
"Optimal step nonrigid ICP algorithms for surface registration", CVPR 2007, let the mesh follow its closest points with
less and less stiffness; here with displacements instead of affine maps, because what is left to do is small:

    min_u sum_i w_i |p_i + u_i - c_i|^2 + stiffness * sum_ij |u_i - u_j|^2

c_i is what closest points of both directions say vertex i belongs to, w_i how surely.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from perception.shapes.chamfer import neighbours, pull
from perception.shapes.regression import Weighting
from perception.shapes.shape import Faces, Points

_LEAST = 0.25
"""Weights below this are those of what has no counterpart: many of them together would pull on what a part lacks."""
_ANCHOR = 0.05
"""Weight with which a vertex is to stay where the network has put it."""


class Membrane:
    """A mesh of V vertices that holds together along its edges."""

    def __init__(self, count: int, faces: Faces) -> None:
        sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        first, second = np.unique(sides, axis=0).T
        ones = np.ones(len(first))
        both = sparse.coo_matrix((ones, (first, second)), shape=(count, count))
        adjacency = both + both.T
        degree = np.asarray(adjacency.sum(axis=1)).ravel()
        self._laplacian = (sparse.diags(degree) - adjacency).tocsc()

    def drawn(
        self, points: Points, target: Points, stiffness: Sequence[float], weighting: Weighting
    ) -> Points:
        """Vertices (V, 3) moved towards samples (N, 3) of a shape, once for each stiffness, from stiff to soft.

        A stiffness is in vertices: how many of a vertex's neighbours weigh as much as its closest point.
        """
        tree, moved = cKDTree(target), points
        for stiff in stiffness:
            found = neighbours(moved, target, tree)
            u, v = (np.where(one < _LEAST, 0.0, one) for one in weighting.of(found))
            weight, pulled = (len(points) / 2 * one for one in pull(found, target, u, v))
            system = splu(sparse.csc_matrix(sparse.diags(weight[:, 0] + _ANCHOR) + stiff * self._laplacian))
            moved = points + system.solve(pulled - weight * points)
        return moved
