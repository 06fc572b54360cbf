"""What is done to each batch so that no two passes see the same images."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.localization.canonical import canonical
from training.localization.photography import covered, exposed, shaded, taken

CHUNK = 8
"""Images that share a random stream."""
FINER = {"coarse": 1.9, "tool": 1.9}
"""Resolution of a camera's picture as a multiple of what the network is given of it."""
MOST_ZOOM = 1.8
"""For tool: the runtime looks at the arm a second time, enlarged (`perception.crop.arm_window`)."""


def augment(images: Tensor, points: Tensor, generator: torch.Generator, task: str = "") -> tuple[Tensor, Tensor]:
    """Random geometry and photometry of a chunk: images (B, 3, H, W) in [-1, 1], points (B, K, M, 2) px.

    Returns both transformed. Every image gets its own small similarity, for task block its canonical crop, shade,
    colours, noise, sharpness, compression and a flat patch; the chunk, in a share of the cases, the resolution of a
    smaller image.
    """
    block = task == "block"
    if block:
        images, points = canonical(images, points, generator)
    else:
        images, points = _similarity(images, points, generator, MOST_ZOOM if task == "tool" else 1.0)
    images = exposed(shaded(images, generator), generator)
    images = taken(images, generator, *((0.8, 1.4) if block else (0.5, 1.2)), FINER.get(task, 1.0))
    return covered(images.clamp(-1, 1), generator), points


def augment_batch(
    images: Tensor, points: Tensor, seed: int, step: int, first: int, task: str = ""
) -> tuple[Tensor, Tensor]:
    """Augments the rows first, first + 1, ... of the batch of a step, whoever computes them, in chunks of CHUNK.

    Equal arguments give equal images, however many processes share a batch, as long as they share it by whole chunks.
    """
    parts = []
    for i in range(0, len(images), CHUNK):
        key = np.random.SeedSequence([seed, step, (first + i) // CHUNK]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(key >> np.uint64(1)))
        parts.append(augment(images[i : i + CHUNK], points[i : i + CHUNK], generator, task))
    return torch.cat([image for image, _ in parts]), torch.cat([place for _, place in parts])


def _similarity(images: Tensor, points: Tensor, generator: torch.Generator, most_zoom: float) -> tuple[Tensor, Tensor]:
    """Rotation within 6 degrees, scale within 8 %, shift within 4 %; with a most_zoom of more than 1 half of the images
    are enlarged by up to that much, around their points."""
    batch, _, height, width = images.shape
    angle, log_scale, shift_x, shift_y = (torch.rand(4, batch, generator=generator) * 2 - 1) * torch.tensor(
        [[np.radians(6.0)], [0.08], [0.04], [0.04]], dtype=torch.float32
    )
    cos, sin = torch.cos(angle) * torch.exp(log_scale), torch.sin(angle) * torch.exp(log_scale)
    centre = torch.tensor([width / 2, height / 2])
    matrix = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)  # output px -> input px
    shift = torch.stack([shift_x * width, shift_y * height], -1)
    size = torch.tensor([width / 2, height / 2])
    if most_zoom > 1.0:
        chosen, amount = torch.rand(2, batch, generator=generator)
        zoom = torch.where(chosen < 0.5, most_zoom**amount, 1.0)
        matrix = matrix / zoom[:, None, None]
        reach = (1.0 - 1.0 / zoom)[:, None] * size  # with which the part stays inside the image
        off = torch.nan_to_num(_middle(points, width, height) - centre, nan=0.0)
        shift = shift / zoom[:, None] + torch.maximum(torch.minimum(off, reach), -reach)
    theta = torch.cat([matrix * (size[None, None, :] / size[None, :, None]), (shift / size)[..., None]], -1)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    offset = points - centre - shift[:, None, None, :]
    back = torch.einsum("bij,bkmj->bkmi", torch.linalg.inv(matrix), offset) + centre
    return moved, back


def _middle(points: Tensor, width: int, height: int) -> Tensor:
    """(B, 2) of the box around the points inside the image; NaN where there are none."""
    flat = points.flatten(1, 2)
    inside = ((flat >= 0) & (flat < points.new_tensor([width, height]))).all(-1, keepdim=True)
    low = torch.where(inside, flat, torch.inf).amin(1)
    high = torch.where(inside, flat, -torch.inf).amax(1)
    return (low + high) / 2
