"""Cracks between the charts of a reconstruction, closed."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from perception.shapes.atlas.reconstruction import Atlas
from perception.shapes.shape import Faces, Shape

REACH = 1.5
"""Edges' median length: border points of charts that are no farther apart become one."""


def stitched(atlas: Atlas, reach: float = REACH) -> Shape:
    """The mesh of an atlas whose charts' borders are joined where they run along each other: points of borders that are
    within reach are moved to the middle of those that they make a group with, and are one from then on.

    Charts that pass through each other stay as they are; so do clouds.
    """
    if atlas.faces is None:
        return atlas.shape
    border = border_points(atlas.faces)
    ends = atlas.points[np.concatenate([atlas.faces[:, :2], atlas.faces[:, 1:]])]
    length = reach * float(np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)))
    points = atlas.points[border]
    pairs = cKDTree(points).query_pairs(length, output_type="ndarray")
    apart = atlas.chart[border[pairs[:, 0]]] != atlas.chart[border[pairs[:, 1]]]
    # Each point to its nearest one of another chart: groups of more would pull in whole edges.
    pairs = _nearest_only(points, pairs[apart])
    count = len(points)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    groups, group = connected_components(links, directed=False)
    sums = np.zeros((groups, 3))
    np.add.at(sums, group, points)
    middles = sums / np.bincount(group, minlength=groups)[:, None]
    number = np.arange(len(atlas.points))
    first = np.full(groups, len(atlas.points))
    np.minimum.at(first, group, border)
    number[border] = first[group]
    moved = atlas.points.copy()
    moved[border] = middles[group]
    kept, index = np.unique(number, return_inverse=True)
    faces = index[atlas.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return Shape(moved[kept], faces[whole])


def border_points(faces: Faces) -> np.ndarray:
    """(B,) numbers of the points on edges that belong to one triangle alone, sorted."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    found, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(found[count == 1])


def _nearest_only(points: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Of pairs (P, 2) those in which one is the nearest that the other has."""
    away = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    nearest = np.full(len(points), np.inf)
    for side in (0, 1):
        np.minimum.at(nearest, pairs[:, side], away)
    return pairs[(away <= nearest[pairs[:, 0]]) | (away <= nearest[pairs[:, 1]])]
