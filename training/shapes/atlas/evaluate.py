"""How far reconstructions of held-out shapes are from these, on a regular grid of each chart."""

import numpy as np
import torch

from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.metrics import chamfer_and_f_score
from training.shapes.atlas.model import AtlasModel
from training.shapes.atlas.picture_set import PictureSet
from training.shapes.atlas.sampling import held_out_batches, regular_charts
from training.shapes.atlas.surface_set import SurfaceSet

MOST, AT_ONCE = 240, 24


@torch.no_grad()
def held_out_chamfer(
    model: AtlasModel, config: AtlasConfig, surfaces: SurfaceSet, pictures: PictureSet | None
) -> dict[str, float]:
    """Mean Chamfer distance and F-score of the first shapes; see `metrics`."""
    device = next(model.parameters()).device
    charts = regular_charts(config)
    if charts is not None:
        charts = charts.to(device)
    was = model.training
    model.eval()
    figures = []
    for seen, truth in held_out_batches(config, surfaces, pictures, min(MOST, len(surfaces)), AT_ONCE):
        found = model(seen.to(device), charts)[..., :3].cpu().numpy()
        figures += [chamfer_and_f_score(one, other) for one, other in zip(found, truth, strict=True)]
    model.train(was)
    distance, score = np.mean(figures, axis=0)
    return {"held_out_chamfer_x1000": float(distance), "held_out_f_score": float(score)}
