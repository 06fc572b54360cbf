"""Objects of the simulator's families, with known correspondences."""

import numpy as np
import torch
from torch import Tensor

from sim.shapes import family, template
from sim.shapes.family import ObjectShape


class Objects:
    """A source of the shapes of one family, in their own frame: z up, handles along x."""

    def __init__(self, category: str) -> None:
        self.category = category
        self._family = family(category)
        neutral = template(category)
        self.template, self.faces = neutral.vertices, neutral.faces

    def sample(self, rng: np.random.Generator, count: int) -> Tensor:
        """(B, V, 3) float32 m."""
        made = [ObjectShape.of(self._family.sample(rng)).vertices for _ in range(count)]
        return torch.from_numpy(np.stack(made)).float()
