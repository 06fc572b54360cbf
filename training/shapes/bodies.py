"""Human bodies with known correspondences: shapes and poses drawn at random, made by Anny.

Anny (Brégier et al., 2025) is a parametric body of MakeHuman's shapes; its code is Apache-2.0 and its data CC0, so that
networks trained on it may be shipped.
"""

from functools import cached_property

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from training.shapes.poses import RestBones, sample_pose

PHENOTYPES = {
    "gender": (0.0, 1.0),
    "age": (0.58, 1.0),  # 1/3 is a child, 2/3 young, 1 old
    "muscle": (0.1, 0.95),
    "weight": (0.1, 0.95),
    "height": (0.2, 0.9),
    "proportions": (0.1, 0.9),
}
NEUTRAL = {"gender": 0.5, "age": 0.67, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}


class Bodies:
    """A source of bodies with one topology. Eyes and teeth, parts of their own, are left out: no scan has them."""

    category = "human"

    def __init__(self) -> None:
        import anny  # takes seconds, and is needed to train alone

        self._model = anny.Anny(skinning_method="lbs").to(dtype=torch.float32)
        faces = self._model.faces.numpy().astype(np.int64)
        kept = _largest_part(faces)
        places = np.cumsum(kept) - 1
        self.faces = places[faces[kept[faces].all(axis=1)]]
        self._kept = torch.from_numpy(np.flatnonzero(kept))
        self._names: list[str] = list(self._model.bone_labels)

    @cached_property
    def template(self) -> np.ndarray:
        """(V, 3) float64 m: the neutral body at rest, z up, looking along -y."""
        pose = torch.eye(4).expand(1, len(self._names), 4, 4)
        shape = {name: torch.tensor([value]) for name, value in NEUTRAL.items()}
        return self._posed(pose, shape)[0].double().numpy()

    def sample(self, rng: np.random.Generator, count: int) -> Tensor:
        """(B, V, 3) float32 m: bodies drawn from a stream, each in another shape and pose."""
        drawn = {name: rng.uniform(low, high, count) for name, (low, high) in PHENOTYPES.items()}
        shape = {name: torch.from_numpy(values).float() for name, values in drawn.items()}
        poses = [sample_pose(rng, self._bones) for _ in range(count)]
        deltas = np.tile(np.eye(4), (count, len(self._names), 1, 1))
        for matrices, pose in zip(deltas, poses, strict=True):
            places = [self._names.index(name) for name in pose]
            matrices[places, :3, :3] = [turn.as_matrix() for turn in pose.values()]
        return self._posed(torch.from_numpy(deltas).float(), shape)

    @cached_property
    def _bones(self) -> RestBones:
        pose = torch.eye(4).expand(1, len(self._names), 4, 4)
        with torch.no_grad():
            heads = self._model(pose_parameters=pose, phenotype_kwargs=NEUTRAL)["rest_bone_heads"][0]
        return RestBones(dict(zip(self._names, heads.double().numpy(), strict=True)))

    def _posed(self, pose: Tensor, shape: dict[str, Tensor]) -> Tensor:
        with torch.no_grad():
            made = self._model(pose_parameters=pose, phenotype_kwargs=shape)["vertices"]
        assert isinstance(made, Tensor)
        return made[:, self._kept]


def _largest_part(faces: np.ndarray) -> np.ndarray:
    """(V,) bool: the vertices of the largest connected part of a mesh."""
    count = int(faces.max()) + 1
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(labels == np.bincount(labels).argmax())
