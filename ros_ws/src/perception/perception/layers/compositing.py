"""Layers painted one over the other (Sbai et al., 2018, equation 3.8), and what an error pulls masks and colours by.

T layers, N points, C channels: RGB multiplied with how opaque, and that, or RGB on black.
"""

import numpy as np

from perception.layers.grid import Floats


def sigmoid(logits: Floats) -> Floats:
    """The logistic function, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def paints(colours: Floats, channels: int) -> Floats:
    """Colours (T, 3) -> (T, C): an opaque layer's."""
    return colours if channels == 3 else np.concatenate([colours, np.ones((len(colours), 1), np.float32)], axis=1)


def composited(masks: Floats, paint: Floats, canvas: Floats) -> Floats:
    """Masks (T, N) and paint (T, C) over a canvas (N, C) -> (N, C)."""
    found = canvas.copy()
    for mask, one in zip(masks, paint, strict=True):
        found += mask[:, None] * (one - found)
    return found


def pulls(masks: Floats, paint: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """The mean squared error of layers on nothing against (N, C), and its derivatives by masks and by paint (T, C)."""
    below = np.empty((*masks.shape, target.shape[1]), np.float32)
    canvas = np.zeros_like(target)
    for t, mask in enumerate(masks):
        below[t] = canvas
        canvas = canvas + mask[:, None] * (paint[t] - canvas)
    error = canvas - target
    back = (2 / error.size) * error
    by_masks, by_paint = np.empty_like(masks), np.empty_like(paint)
    for t in reversed(range(len(masks))):
        mask = masks[t]
        by_masks[t] = (back * (paint[t] - below[t])).sum(axis=1)
        by_paint[t] = mask @ back
        back = back * (1 - mask)[:, None]
    return float((error**2).mean()), by_masks, by_paint


def best_paint(mask: Floats, canvas: Floats, target: Floats) -> tuple[Floats, float]:
    """The opaque colour (3,) in [0, 1] that a layer of this mask (N,) is best painted in over a canvas (N, C), and by
    how much that lowers the squared error."""
    wanted = target - canvas + mask[:, None] * canvas
    colour = np.clip(mask @ wanted[:, :3] / max(float(mask @ mask), 1e-6), 0, 1).astype(np.float32)
    paint = paints(colour[None], target.shape[1])[0]
    after = canvas + mask[:, None] * (paint - canvas)
    return colour, float(((canvas - target) ** 2).sum() - ((after - target) ** 2).sum())
