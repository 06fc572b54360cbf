"""Features without the medium: each channel of a grid with mean 0 and deviation 1, then unit vectors again.

The mean and deviation of a network's channels over a picture are its style (Huang, Belongie, "Arbitrary style transfer
in real time with adaptive instance normalization", ICCV 2017). Without them an engraving is nearer to the painting that
it is after than to the next engraving. Not of ArtMiner; docs/art.md has what it brings.
"""

from torch import Tensor
from torch.nn import functional

LEAST_DEVIATION = 0.01
"""Of a channel: what hardly changes in a picture is not made to count."""


def standardised(grids: Tensor) -> Tensor:
    """(B, h, w, C) unit vectors -> the same, their channels standardised over the cells of each grid; where all cells
    are alike, zeros."""
    values = grids.float()
    centred = values - values.mean(dim=(1, 2), keepdim=True)
    # The square root of nothing has no gradient.
    deviation = centred.square().mean(dim=(1, 2), keepdim=True).clamp(min=LEAST_DEVIATION**2).sqrt()
    return functional.normalize(centred / deviation, dim=3, eps=1e-6)
