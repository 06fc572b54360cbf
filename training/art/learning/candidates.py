"""The pictures that proposals fit to best: dense cosine matching with all cells at all scales, as one product."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.art.learning.config import PROPOSAL_CELLS, LearningConfig
from training.art.learning.products import LARGEST, factor, products
from training.art.learning.proposals import Proposals
from training.art.learning.verification import votes


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of each of P proposals the best K pictures so far; where there are fewer, a score of minus infinity."""

    scores: Tensor
    """(P, K) cosines."""
    places: Tensor
    """(P, K, 4) int64: picture, number of its grid, row and column of the cell matched with the first."""
    votes: Tensor
    """(P, K) share of the ring that votes for it."""

    @classmethod
    def none(cls, count: int, config: LearningConfig, device: torch.device) -> "Candidates":
        """Before any picture was looked at."""
        shape = (count, config.matches)
        return cls(
            torch.full(shape, -torch.inf, device=device),
            torch.zeros(*shape, 4, dtype=torch.int64, device=device),
            torch.zeros(shape, device=device),
        )

    def offer(self, proposals: Proposals, number: int, grids: Sequence[Tensor], config: LearningConfig) -> None:
        """Take in a picture, by its number, wherever it is among the best; verify where it is."""
        scores, places = best_places(proposals.regions, grids, config.margin)
        # A proposal is not matched in its own picture.
        scores[proposals.places[:, 0] == number] = -torch.inf
        worst, slot = self.scores.min(dim=1)
        better = torch.nonzero(scores > worst).squeeze(1)
        slot = slot[better]
        self.scores[better, slot] = scores[better]
        self.places[better, slot, 0] = number
        self.places[better, slot, 1:] = places[better]
        for scale, grid in enumerate(grids):
            here = places[better, 0] == scale
            if here.any():
                which = better[here]
                self.votes[which, slot[here]] = votes(
                    proposals.rings[which], grid, places[which, 1:], config.verified_cells, config.vote_cells
                )

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return int(self.scores.isfinite().sum())


def best_places(regions: Tensor, grids: Sequence[Tensor], margin: int) -> tuple[Tensor, Tensor]:
    """(P, C, 2, 2) unit vectors and one picture's grids (h, w, C) -> (P,) the best cosine, minus infinity where no grid
    is large enough, and (P, 3) where: number of the grid, row and column of the first cell.

    margin: cells along the edges that are left out. The cosine is taken anew where it is best.
    """
    own = regions.permute(0, 2, 3, 1).float()
    wanted = factor(own).flatten(1)
    best = torch.full((len(regions),), -torch.inf, device=regions.device)
    places = torch.zeros(len(regions), 3, dtype=torch.int64, device=regions.device)
    for scale, grid in enumerate(grids):
        if min(grid.shape[:2]) < 2 * margin + PROPOSAL_CELLS:
            continue
        inner = grid[margin : grid.shape[0] - margin, margin : grid.shape[1] - margin]
        windows = _windows(factor(inner))
        every = windows.flatten(0, 1)
        at_once = max(1, LARGEST // len(every))
        index = torch.cat([products(part, every).argmax(dim=1) for part in wanted.split(at_once)])
        rows, columns = index // windows.shape[1], index % windows.shape[1]
        value = (own.flatten(1) * _windows(inner)[rows, columns]).sum(dim=1) / PROPOSAL_CELLS**2
        better = value > best
        best = torch.where(better, value, best)
        rows, columns = rows + margin, columns + margin
        found = torch.stack([torch.full_like(index, scale), rows, columns], dim=1)
        places = torch.where(better[:, None], found, places)
    return best, places


def _windows(grid: Tensor) -> Tensor:
    """(h, w, C) -> (h - 1, w - 1, 4 C): the cells of each square as large as a proposal, along its rows."""
    rows, columns = (side - PROPOSAL_CELLS + 1 for side in grid.shape[:2])
    shifts = [(row, column) for row in range(PROPOSAL_CELLS) for column in range(PROPOSAL_CELLS)]
    return torch.cat([grid[row : row + rows, column : column + columns] for row, column in shifts], dim=2)
