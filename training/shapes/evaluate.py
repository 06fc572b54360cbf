"""How far a network puts places of held-out shapes from where they are, without any search or regression."""

import torch

from training.shapes.config import ShapesConfig
from training.shapes.model import DeformationNetwork
from training.shapes.sampling import whole_shapes
from training.shapes.shape_set import ShapeSet

MOST = 256


@torch.no_grad()
def held_out_error(
    network: DeformationNetwork, config: ShapesConfig, held_out: ShapeSet
) -> float:
    """Mean distance in m between deformed places of the template and the same places of whole, upright shapes."""
    device = next(network.parameters()).device
    sample = whole_shapes(held_out, min(MOST, len(held_out)), config)
    template = sample.template.to(device)
    total = 0.0
    parts = (whole.split(16) for whole in (sample.points, sample.places, sample.scale))
    for points, places, scale in zip(*parts, strict=True):
        away = (network(points.to(device), template).cpu() - places).norm(dim=2)
        total += float((away.mean(dim=1) * scale).sum())
    return total / len(sample.points)
