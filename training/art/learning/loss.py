"""What a verified pair teaches: the corners of its region are alike, and unlike the hardest other cells.

The paper's triplet loss (Shen et al., CVPR 2019, section 3.1; equation 2.7 of Shen's thesis), with the cosine s:

    L = -min(lambda, s(P1, P2)) + 1/N sum_i max(s(P1, N_i), 1 - lambda)

Here lambda - (1 - lambda) is added, which changes no gradient: what is learned has a loss of 0.
"""

import torch
from torch import Tensor

from training.art.learning.config import LearningConfig, before


def triplet_loss(positives: Tensor, negatives: Tensor, saturation: float) -> Tensor:
    """Cosines (T,) of positive pairs and (T, N) with their negatives -> the mean loss, a scalar."""
    apart = (saturation - positives).clamp(min=0)
    alike = (negatives - (1 - saturation)).clamp(min=0).mean(dim=1)
    return (apart + alike).mean()


def corners(cells: int) -> Tensor:
    """(4, 2) int64: row and column of the corners of a region of `cells` a side around a proposal, from the proposal's
    first cell."""
    ends = torch.tensor([0, cells - 1]) - before(cells)
    return torch.cartesian_prod(ends, ends)


def pair_loss(grid: Tensor, other: Tensor, first: Tensor, other_first: Tensor, config: LearningConfig) -> Tensor:
    """The loss of one pair: (h, w, C) and (h', w', C) unit vectors, (2,) and (2,) row and column of the matched cells.

    Negatives are the cells of the other picture that are most alike, of either picture's corner in the other; of the
    two directions the harder one counts, as in the authors' code.
    """
    offsets = corners(config.positive_cells)
    ours, theirs = (place.cpu() + offsets for place in (first, other_first))
    positives, there = compared(grid, other, ours, theirs, config)
    _, here = compared(other, grid, theirs, ours, config)
    harder = (there.mean(dim=1) > here.mean(dim=1))[:, None]
    return triplet_loss(positives, torch.where(harder, there, here), config.saturation)


def compared(
    grid: Tensor, other: Tensor, cells: Tensor, matches: Tensor, config: LearningConfig
) -> tuple[Tensor, Tensor]:
    """(T, 2) cells of one grid and their true matches in the other -> cosines (T,) with these, the best within the
    slack, and (T, N) with the hardest negatives."""
    vectors = grid[cells[:, 0].to(grid.device), cells[:, 1].to(grid.device)]
    cosines = vectors @ other.reshape(-1, other.shape[2]).T
    near = _near(matches, (other.shape[0], other.shape[1]), config.slack_cells).to(grid.device)
    positives = cosines.masked_fill(~near, -torch.inf).amax(dim=1)
    others = cosines.masked_fill(near, -torch.inf) if config.exclude_match else cosines
    # A grid that a match was found in has 12 x 12 cells or more, which is enough for any configuration.
    return positives, others.topk(config.negatives, dim=1).values


def _near(places: Tensor, shape: tuple[int, int], slack: int) -> Tensor:
    """(T, 2) -> (T, h * w): the cells within the slack along rows and along columns."""
    rows, columns = (torch.arange(side) for side in shape)
    down = (rows - places[:, :1]).abs() <= slack
    along = (columns - places[:, 1:]).abs() <= slack
    return (down[:, :, None] & along[:, None]).flatten(1)
