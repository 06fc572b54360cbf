"""Losses of template deformation (Groueix et al., ECCV 2018, section 3.2), for B shapes at once."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.shapes.nearest import nearest


def supervised(deformed: Tensor, places: Tensor) -> Tensor:
    """Equation 3.1: mean squared distance of template points (B, M, 3) from where they belong (B, M, 3)."""
    return (deformed - places).square().sum(dim=2).mean()


def chamfer(deformed: Tensor, target: Tensor) -> Tensor:
    """Chamfer distance of equation 3.2 between (B, M, D) and (B, N, D): mean squared distances to the nearest, both
    ways.

    The gradient is exact: who is nearest does not change within an infinitesimal step, but for a set of measure zero.
    """
    there = target.gather(1, _spread(nearest(deformed, target), target))
    here = deformed.gather(1, _spread(nearest(target, deformed), target))
    return supervised(deformed, there) + supervised(here, target)


@dataclass(frozen=True)
class Regularization:
    """What keeps a deformed mesh like its template: Laplacian (V, V) sparse, edges (E, 2) and their lengths (E,).

    Without correspondences the Chamfer distance alone lets neighbours part; both terms hold them together.
    """

    laplacian: Tensor
    edges: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray) -> "Regularization":
        """That of a template with vertices (V, 3) and triangles (F, 3).

        The Laplacian is the graph's, normalised by rows: of each vertex its distance from the mean of its neighbours.
        """
        sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        edges = np.unique(np.sort(sides, axis=1), axis=0)
        lengths = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
        edges, lengths = edges[lengths > 0], lengths[lengths > 0]
        both = np.concatenate([edges, edges[:, ::-1]])
        count = len(vertices)
        degree = np.maximum(np.bincount(both[:, 0], minlength=count), 1)
        rows = np.concatenate([both[:, 0], np.arange(count)])
        columns = np.concatenate([both[:, 1], np.arange(count)])
        values = np.concatenate([-1.0 / degree[both[:, 0]], np.ones(count)])
        places = torch.from_numpy(np.stack([rows, columns]))
        laplacian = torch.sparse_coo_tensor(
            places, torch.from_numpy(values).float(), (count, count), check_invariants=True
        ).coalesce()
        return cls(laplacian, torch.from_numpy(edges), torch.from_numpy(lengths).float())

    def laplacian_loss(self, deformed: Tensor, template: Tensor) -> Tensor:
        """Mean squared change of the Laplacian coordinates of (B, V, 3) from those of the template (V, 3)."""
        moved = (deformed - template).permute(1, 0, 2).reshape(len(template), -1)
        return (self.laplacian @ moved).square().sum() / (len(deformed) * len(template))

    def edge_loss(self, deformed: Tensor) -> Tensor:
        """Mean of |length / template's length - 1| over the edges of (B, V, 3)."""
        ends = deformed[:, self.edges]
        lengths = (ends[:, :, 0] - ends[:, :, 1]).norm(dim=2)
        return (lengths / self.lengths - 1).abs().mean()


def _spread(index: Tensor, points: Tensor) -> Tensor:
    return index[..., None].expand(-1, -1, points.shape[2])
