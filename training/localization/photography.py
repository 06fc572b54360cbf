"""What light and a camera do to the images of a chunk: shade, exposure, resolution, noise, sharpening, compression."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

METERED_SHARE = 0.5
METERED = (0.75, 1.5)
"""Where the brightest twentieth of a metered image lies, 1 being white."""
SHADED_SHARE = 0.35
SHARPENED_SHARE = 0.35
MOST_NOISE = 0.06
COMPRESSED_SHARE = 0.5
CODECS = (("JPEG", 12, 90), ("WEBP", 4, 80))
"""With lowest and highest quality; WebP's pictures are those of VP8 video."""


def uniform(batch: int, low: float, high: float, generator: torch.Generator, channels: int = 1) -> Tensor:
    """(B, channels, 1, 1) numbers."""
    return torch.rand(batch, channels, 1, 1, generator=generator) * (high - low) + low


def shaded(images: Tensor, generator: torch.Generator) -> Tensor:
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


def sharpened(images: Tensor, generator: torch.Generator) -> Tensor:
    """A share of the images sharpened by an unsharp mask, as cameras do by themselves."""
    chosen, amount = (uniform(len(images), 0.0, 1.0, generator) for _ in range(2))
    soft = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images + torch.where(chosen < SHARPENED_SHARE, 2.0 * amount, 0.0) * (images - soft)


def exposed(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gain, offset and gamma, with a different gain for each colour. Half of the images are metered: their brightest
    twentieth is brought to white or beyond it, as cameras do that set their exposure by themselves."""
    batch = len(images)
    gain = uniform(batch, 0.65, 1.5, generator)
    offset = uniform(batch, -0.15, 0.15, generator)
    gamma = torch.exp(uniform(batch, -0.35, 0.35, generator))
    unit = ((images + 1) / 2).clamp(1e-4, 1) ** gamma
    metered = uniform(batch, 0.0, 1.0, generator) < METERED_SHARE
    bright = unit[:, :, ::4, ::4].mean(1).flatten(1).quantile(0.95, dim=1).clamp(min=0.1).reshape(-1, 1, 1, 1)
    gain = torch.where(metered, uniform(batch, *METERED, generator) / bright, gain)
    gain = gain * uniform(batch, 0.9, 1.1, generator, channels=3)
    return ((unit * gain + offset) * 2 - 1).clamp(-1, 1)


def taken(
    images: Tensor, generator: torch.Generator, coarser_share: float, coarsest: float, finer: float = 1.0
) -> Tensor:
    """As a camera takes them: noise, sharpening and compression, at the resolution of its pictures.

    That is `finer` times the images' own, and in the share of the cases that is given coarser by up to 1 + `coarsest`.
    """
    chosen, factor = torch.rand(2, generator=generator).tolist()
    scale = finer / (1.0 + coarsest * factor if chosen < coarser_share else 1.0)
    size = images.shape[-2:]
    images = _resized(images, [round(side * scale) for side in size])
    noise = uniform(len(images), 0.0, MOST_NOISE, generator)
    images = sharpened(images + torch.randn(images.shape, generator=generator) * noise, generator)
    return _resized(compressed(images, generator), list(size))


def compressed(images: Tensor, generator: torch.Generator) -> Tensor:
    """A share of the images (B, 3, H, W) in [-1, 1] through an encoder and its decoder."""
    out = images.clone()
    chosen, codec, level = torch.rand(3, len(images), generator=generator)
    for i in torch.nonzero(chosen < COMPRESSED_SHARE).flatten().tolist():
        name, worst, best = CODECS[int(codec[i] * len(CODECS))]
        stored = ((images[i] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
        file = io.BytesIO()
        Image.fromarray(stored).save(file, name, quality=round(worst + float(level[i]) * (best - worst)), method=0)
        seen = np.array(Image.open(file).convert("RGB"))
        out[i] = torch.from_numpy(seen).permute(2, 0, 1).to(images.dtype) / 127.5 - 1
    return out


def _resized(images: Tensor, size: list[int]) -> Tensor:
    if list(images.shape[-2:]) == size:
        return images
    return functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)


def covered(images: Tensor, generator: torch.Generator) -> Tensor:
    """On every third image a flat rectangle of up to a fifth of its width: something in the way (Random Erasing)."""
    batch, _, height, width = images.shape
    out = images.clone()
    for i in torch.nonzero(torch.rand(batch, generator=generator) < 0.33).flatten().tolist():
        h, w = (int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height, width]) * 0.2 + 2)
        top, left = (int(n) for n in torch.rand(2, generator=generator) * torch.tensor([height - h, width - w]))
        out[i, :, top : top + h, left : left + w] = torch.rand(3, 1, 1, generator=generator) * 2 - 1
    return out
