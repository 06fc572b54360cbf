"""What is done to each batch so that no two passes see the same images."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.localization.canonical import canonical

CHUNK = 8
"""Images that share a random stream."""
METERED_SHARE = 0.5
METERED = (0.75, 1.5)
"""Where the brightest twentieth of a metered image lies, 1 being white."""
SHADED_SHARE = 0.35
SHARPENED_SHARE = 0.35
MOST_ZOOM = 1.8
"""For tool: the runtime looks at the arm a second time, enlarged (`perception.crop.arm_window`)."""


def augment(images: Tensor, points: Tensor, generator: torch.Generator, task: str = "") -> tuple[Tensor, Tensor]:
    """Random geometry and photometry of a chunk: images (B, 3, H, W) in [-1, 1], points (B, K, M, 2) px.

    Returns both transformed. Every image gets its own small similarity, for task block its canonical crop, shade,
    colours, sharpness, noise and a flat patch; the chunk, in a share of the cases, the resolution of a smaller image.
    """
    block = task == "block"
    if block:
        images, points = canonical(images, points, generator)
    else:
        images, points = _similarity(images, points, generator, MOST_ZOOM if task == "tool" else 1.0)
    images = _colours(_shaded(images, generator), generator)
    images = _coarser(images, generator, *((0.8, 1.4) if block else (0.5, 1.2)))
    images = _sharpened(images, generator)
    images = images + torch.randn(images.shape, generator=generator) * _uniform(
        len(images), 0.0, 0.06, generator
    )
    return _patch(images, generator).clamp(-1, 1), points


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


def _uniform(batch: int, low: float, high: float, generator: torch.Generator, channels: int = 1) -> Tensor:
    return torch.rand(batch, channels, 1, 1, generator=generator) * (high - low) + low


def _similarity(
    images: Tensor, points: Tensor, generator: torch.Generator, most_zoom: float
) -> tuple[Tensor, Tensor]:
    """Rotation within 6 degrees, scale within 8 %, shift within 4 %; with a most_zoom of more than 1 half of the images
    are enlarged by up to that much, around their points."""
    batch, _, height, width = images.shape
    angle, log_scale, shift_x, shift_y = (torch.rand(4, batch, generator=generator) * 2 - 1) * torch.tensor(
        [[np.radians(6.0)], [0.08], [0.04], [0.04]], dtype=torch.float32
    )
    cos, sin = torch.cos(angle) * torch.exp(log_scale), torch.sin(angle) * torch.exp(log_scale)
    centre = torch.tensor([width / 2, height / 2])
    matrix = torch.stack(
        [torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2
    )  # output px -> input px
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


def _shaded(images: Tensor, generator: torch.Generator) -> Tensor:
    """A share of the images lies in part in the shadow of something out of view: a straight edge, more or less soft."""
    batch, _, height, width = images.shape
    chosen, direction, place, softness, dark = torch.rand(5, batch, 1, 1, 1, generator=generator)
    y = torch.linspace(-1, 1, height).reshape(1, 1, height, 1)
    x = torch.linspace(-1, 1, width).reshape(1, 1, 1, width)
    angle = direction * 2 * torch.pi
    beyond = torch.sigmoid(
        (x * torch.cos(angle) + y * torch.sin(angle) + 1.2 * (place - 0.5)) / (0.01 + 0.3 * softness**2)
    )
    light = torch.where(chosen < SHADED_SHARE, 1.0 - 0.8 * dark * beyond, 1.0)
    return (images + 1) * light - 1


def _sharpened(images: Tensor, generator: torch.Generator) -> Tensor:
    """A share of the images sharpened by an unsharp mask, as cameras do by themselves."""
    chosen, amount = (_uniform(len(images), 0.0, 1.0, generator) for _ in range(2))
    soft = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images + torch.where(chosen < SHARPENED_SHARE, 2.0 * amount, 0.0) * (images - soft)


def _colours(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gain, offset and gamma, with a different gain for each colour. Half of the images are metered: their brightest
    twentieth is brought to white or beyond it, as cameras do that set their exposure by themselves."""
    batch = len(images)
    gain = _uniform(batch, 0.65, 1.5, generator)
    offset = _uniform(batch, -0.15, 0.15, generator)
    gamma = torch.exp(_uniform(batch, -0.35, 0.35, generator))
    unit = ((images + 1) / 2).clamp(1e-4, 1) ** gamma
    metered = _uniform(batch, 0.0, 1.0, generator) < METERED_SHARE
    bright = unit[:, :, ::4, ::4].mean(1).flatten(1).quantile(0.95, dim=1).clamp(min=0.1).reshape(-1, 1, 1, 1)
    gain = torch.where(metered, _uniform(batch, *METERED, generator) / bright, gain)
    gain = gain * _uniform(batch, 0.9, 1.1, generator, channels=3)
    return ((unit * gain + offset) * 2 - 1).clamp(-1, 1)


def _coarser(images: Tensor, generator: torch.Generator, share: float, most: float) -> Tensor:
    """In that share of the cases shrunk by up to 1 + `most` and enlarged again: cameras of fewer pixels, or blurred."""
    chosen, factor = torch.rand(2, generator=generator).tolist()
    if chosen >= share:
        return images
    size = images.shape[-2:]
    small = [round(side / (1.0 + most * factor)) for side in size]
    shrunk = functional.interpolate(images, size=small, mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(shrunk, size=size, mode="bilinear", align_corners=False)


def _patch(images: Tensor, generator: torch.Generator) -> Tensor:
    """On every third image a flat rectangle of up to a fifth of its width: something in the way (Random Erasing)."""
    batch, _, height, width = images.shape
    out = images.clone()
    for i in torch.nonzero(torch.rand(batch, generator=generator) < 0.33).flatten().tolist():
        h, w = (int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height, width]) * 0.2 + 2)
        top, left = (
            int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height - h, width - w])
        )
        out[i, :, top : top + h, left : left + w] = torch.rand(3, 1, 1, generator=generator) * 2 - 1
    return out
