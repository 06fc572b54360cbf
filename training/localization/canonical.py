"""Pictures of the block as the runtime shows them to the block network: its long side from left to right, in one scale.

`perception.crop.block_window` cuts them around a block that is known roughly; here the truth is disturbed as much as
that may be off.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from perception.crop import BLOCK_HEIGHT_SHARE, BLOCK_SIDE_M
from sim.dataset.studio import BLOCK_SIDE_M as STORED_SIDE_M

WIDTH = 96
HEIGHT = round(WIDTH * BLOCK_HEIGHT_SHARE)
ROUGH_SHARE = 0.35  # of pictures are cut around a rough estimate, as coarse gives it, the others around a good one
GOOD = (5.0, 3.0)  # standard deviations: degrees of the turn, px of the place
ROUGH = (30.0, 8.0)  # largest turn in degrees, standard deviation of the place in px
MISPLACED_SHARE = 0.08  # of pictures are cut where the block is not, or only a part of it
MISPLACED = 40.0  # largest distance in px along each axis
SCALE = 0.12  # largest logarithm of the scale's error
CORNERS = slice(2, 10)  # of the channels; before them the middles of bottom and top


def canonical(images: Tensor, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crops (B, 3, HEIGHT, WIDTH) of pictures (B, 3, S, S) with the block in the middle, and its points (B, K, M, 2) px
    in them; the corners are renamed where the picture is turned by more than a quarter. Pictures without a block are
    turned any way."""
    batch, _, _, stored = images.shape
    points = _named_by_side(points)
    along = _along(points)
    rough = torch.rand(batch, generator=generator) < ROUGH_SHARE
    turn = torch.where(
        rough,
        (torch.rand(batch, generator=generator) * 2 - 1) * ROUGH[0],
        torch.randn(batch, generator=generator) * GOOD[0],
    )
    spread = torch.where(rough, torch.tensor(ROUGH[1]), torch.tensor(GOOD[1]))
    shift = torch.randn(batch, 2, generator=generator) * spread[:, None]
    misplaced = torch.rand(batch, generator=generator) < MISPLACED_SHARE
    shift = torch.where(misplaced[:, None], (torch.rand(batch, 2, generator=generator) * 2 - 1) * MISPLACED, shift)
    scale = torch.exp((torch.rand(batch, generator=generator) * 2 - 1) * SCALE)
    angle = torch.atan2(along[:, 1], along[:, 0]) + torch.deg2rad(turn)
    empty = torch.isnan(points).all(-1).all(-1).all(-1)
    angle = torch.where(empty, torch.rand(batch, generator=generator) * (2 * math.pi), angle)
    step = scale * (BLOCK_SIDE_M / WIDTH) / (STORED_SIDE_M / stored)  # px of the picture per px of the crop
    cos, sin = torch.cos(angle) * step, torch.sin(angle) * step
    matrix = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    middle, size = torch.tensor([WIDTH / 2, HEIGHT / 2]), torch.tensor([float(WIDTH), float(HEIGHT)])
    origin = stored / 2 - torch.einsum("bij,bj->bi", matrix, middle + shift)
    # affine_grid counts both sides from -1 to 1.
    theta = torch.cat(
        [
            matrix * (size[None, None, :] / stored),
            (2 * (origin + torch.einsum("bij,j->bi", matrix, middle)) / stored - 1)[..., None],
        ],
        -1,
    )
    grid = functional.affine_grid(theta, [batch, 3, HEIGHT, WIDTH], align_corners=False)
    crops = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    moved = torch.einsum("bij,bkmj->bkmi", torch.linalg.inv(matrix), points - origin[:, None, None, :])
    return crops, moved


def _along(points: Tensor) -> Tensor:
    """(B, 2) from the middle of the left end to that of the right one, px; to the right where there is no block."""
    corners = points[:, CORNERS, 0].reshape(len(points), 2, 2, 2, 2)  # level, side, edge
    along = (corners[:, :, 1] - corners[:, :, 0]).mean((1, 2))
    return torch.nan_to_num(along, nan=0.0) + points.new_tensor([1e-6, 0.0])


def _named_by_side(points: Tensor) -> Tensor:
    """The points with corners renamed by half a turn where the left end lies to the right."""
    half_turn = [0, 1, *(2 + i for i in (3, 2, 1, 0)), *(6 + i for i in (3, 2, 1, 0))]
    backwards = _along(points)[:, 0] < 0
    return torch.where(backwards[:, None, None, None], points[:, half_turn], points)


def canonical_samples(images: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The same of all pictures (N, S, S, 3) uint8, disturbed the same way each time: what held-out images are."""
    generator = torch.Generator().manual_seed(0)
    floats = images.permute(0, 3, 1, 2).float()
    crops, moved = canonical(floats, points, generator)
    return crops.permute(0, 2, 3, 1).round().clamp(0, 255).to(torch.uint8), moved
