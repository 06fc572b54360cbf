"""Proposals: small squares of cells at random places of random pictures, which matches are looked for of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.art.extractor import shapes
from training.art.features import SCALES
from training.art.learning.config import PROPOSAL_CELLS, LearningConfig
from training.art.learning.verification import ring
from training.art.pictures import Picture


@dataclass(frozen=True, eq=False)
class Proposals:
    """P of them."""

    places: Tensor
    """(P, 4) int64: picture, number of its grid, row and column of the first cell."""
    regions: Tensor
    """(P, C, 2, 2) float16: the proposals' own cells."""
    rings: Tensor
    """(P, R, C) float16: the cells around them that vote."""

    def __len__(self) -> int:
        return len(self.places)

    def to(self, device: torch.device) -> "Proposals":
        """The same on a device."""
        return Proposals(self.places.to(device), self.regions.to(device), self.rings.to(device))


def drawn_places(
    picture: Picture, number: int, config: LearningConfig, random: np.random.Generator
) -> Tensor | None:
    """(P, 4) places in one grid of a picture, as `Proposals` has them; None where no grid is large enough."""
    inner = {
        scale: tuple(side - 2 * config.margin - PROPOSAL_CELLS + 1 for side in shapes(picture.size)[scale])
        for scale in map(SCALES.index, config.proposal_scales)
    }
    fit = [scale for scale, sides in inner.items() if min(sides) > 0]
    if not fit:
        return None
    scale = int(random.choice(fit))
    rows, columns = inner[scale]
    chosen = random.choice(rows * columns, min(config.proposals, rows * columns), replace=False)
    places = np.empty((len(chosen), 4), np.int64)
    places[:, 0], places[:, 1] = number, scale
    places[:, 2], places[:, 3] = (config.margin + one for one in np.divmod(chosen, columns))
    return torch.from_numpy(places)


def proposals_at(places: Tensor, grid: Tensor, config: LearningConfig) -> Proposals:
    """Those at places of one grid (h, w, C)."""
    first = places[:, 2:].to(grid.device)
    own = _cells(grid, first, _square(grid.device))
    regions = own.transpose(1, 2).unflatten(2, (PROPOSAL_CELLS, PROPOSAL_CELLS))
    rings = _cells(grid, first, ring(config.verified_cells).to(grid.device))
    return Proposals(places, regions.half().cpu(), rings.half().cpu())


def joined(parts: Sequence[Proposals]) -> Proposals:
    """All of them."""
    return Proposals(*(torch.cat([getattr(one, name) for one in parts]) for name in ("places", "regions", "rings")))


def _cells(grid: Tensor, first: Tensor, offsets: Tensor) -> Tensor:
    """(h, w, C), (P, 2), (R, 2) -> (P, R, C)."""
    rows, columns = (first[:, None] + offsets).unbind(2)
    return grid[rows, columns]


def _square(device: torch.device) -> Tensor:
    along = torch.arange(PROPOSAL_CELLS, device=device)
    return torch.cartesian_prod(along, along)
