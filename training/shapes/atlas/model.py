"""The whole network: an encoder, a structure of charts, a decoder."""

import torch
from torch import Tensor, nn

from perception.shapes.atlas.bundle import has_charts
from perception.shapes.atlas.charts import square_grid
from training.core.resnet import ResNet18
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.decoders import ChartDecoder, PatchDeformation, PointsDecoder, PointTranslation
from training.shapes.model import Encoder

NORMAL_DIMENSION = 6


class AtlasDecoder(nn.Module):
    """Latent vectors (B, L), and points of charts (K, N, D) where the structure has them -> points (B, M, 3), or
    (B, M, 6) with normals; M = K N."""

    def __init__(self, config: AtlasConfig) -> None:
        super().__init__()
        self.structure: nn.Module = nn.Identity()
        self.listed = not has_charts(config.structure)
        if self.listed:
            dimension = NORMAL_DIMENSION if config.structure == "points_normals" else 3
            self.points: nn.Module = PointsDecoder(config.latent, config.decoder, config.points, dimension)
            return
        dimension = {"squares": 2, "sphere": 3}.get(config.structure, config.dimension)
        if config.structure == "deformation":
            self.structure = PatchDeformation(config.charts, dimension)
        elif config.structure == "translation":
            self.structure = PointTranslation(_began(config), dimension)
        self.points = ChartDecoder(config.charts, dimension, config.decoder, config.latent)

    def forward(self, latent: Tensor, charts: Tensor | None = None) -> Tensor:
        """See the class."""
        if self.listed:
            return self.points(latent)
        return self.points(self.structure(charts), latent).flatten(1, 2)


class AtlasModel(nn.Module):
    """Encoder and decoder of a configuration, with random weights."""

    def __init__(self, config: AtlasConfig) -> None:
        super().__init__()
        if config.input == "cloud":
            self.encoder: nn.Module = Encoder(config.encoder, config.latent)
            for layer in self.encoder.modules():
                if isinstance(layer, nn.Linear):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            self.encoder = ResNet18(config.encoder, config.latent)
        self.decoder = AtlasDecoder(config)

    def forward(self, seen: Tensor, charts: Tensor | None = None) -> Tensor:
        """Clouds (B, N, 3) in the unit ball, or pictures (B, S, S, 3) uint8, -> points (B, M, 3)."""
        return self.decoder(self.encoder(seen), charts)


def _began(config: AtlasConfig) -> Tensor:
    """(K, N, 2): the grid that translated points begin as."""
    grid = torch.from_numpy(square_grid(config.points // config.charts).points).float()
    return grid.expand(config.charts, -1, -1).clone()
