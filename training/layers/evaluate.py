"""How far decompositions of held-out pictures are from these, at all of their pixels."""

import numpy as np
import torch

from training.layers.config import LayersConfig
from training.layers.model import LayersModel
from training.layers.sampling import batch
from training.layers.sources import PictureSet

MOST, AT_ONCE = 96, 16


@torch.no_grad()
def held_out_error(
    model: LayersModel, config: LayersConfig, pictures: PictureSet, layers: int | None = None
) -> dict[str, float]:
    """Mean absolute error of values in [0, 1], and the mean of the pictures' PSNR in dB, of the first held-out ones."""
    was = model.training
    model.eval()
    device = next(model.parameters()).device
    differences, ratios, each = [], [], config.supersampling**2
    for first in range(0, min(MOST, len(pictures)), AT_ONCE):
        images = np.stack([pictures[i] for i in range(first, min(first + AT_ONCE, len(pictures), MOST))])
        data = batch(config, images)
        found = model(data.seen.to(device), data.points.to(device), each, layers)[-1].cpu()
        error = (found - data.target).flatten(1)
        differences += error.abs().mean(dim=1).tolist()
        ratios += (-10 * torch.log10((error**2).mean(dim=1) + 1e-10)).tolist()
    model.train(was)
    return {"held_out_l1": float(np.mean(differences)), "held_out_psnr_db": float(np.mean(ratios))}
