"""From trained weights to a bundle: encoder and decoder in ONNX, manifest and card."""

from pathlib import Path

import torch
from torch import Tensor, nn

from perception.errors import BlockworldError
from perception.shapes.atlas.bundle import AtlasBundle, AtlasManifest, has_charts
from training.core.checkpoint import load_checkpoint
from training.core.half_weights import with_half_weights
from training.core.onnx_export import exported
from training.core.provenance import commit
from training.shapes.atlas.card import write_card
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.evaluate import held_out_chamfer
from training.shapes.atlas.model import AtlasDecoder, AtlasModel
from training.shapes.atlas.sampling import regular_charts
from training.shapes.atlas.train import held_out_sets

VERSION = "0.1.0"


class _PerChart(nn.Module):
    """The decoder, its points chart by chart and normals apart from them."""

    def __init__(self, decoder: AtlasDecoder, charts: int) -> None:
        super().__init__()
        self.decoder, self.charts = decoder, charts

    def forward(self, latent: Tensor, charts: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        found = self.decoder(latent, charts)
        found = found.view(found.shape[0], self.charts, -1, found.shape[2])
        return (found[..., :3], found[..., 3:]) if found.shape[3] > 3 else found


def export(config: AtlasConfig, models_dir: Path, name: str, command: str) -> AtlasBundle:
    """Write the bundle models_dir/NAME from `config.out`/weights.pt, measured on held-out shapes. command: that
    it was trained by.

    Raises BlockworldError where nothing was trained yet.
    """
    weights = load_checkpoint(config.out / "weights.pt")
    if weights is None:
        raise BlockworldError(f"{config.out} has no weights.pt: train first with `blockworld train`.")
    model = AtlasModel(config)
    model.load_state_dict(weights)
    return write_bundle(model.eval(), config, models_dir / name, command)


def write_bundle(model: AtlasModel, config: AtlasConfig, folder: Path, command: str) -> AtlasBundle:
    """The bundle of a network, weights in half precision."""
    size = config.seen if config.pictures is None else config.pictures.size_px
    manifest = AtlasManifest(
        name=folder.name,
        version=VERSION,
        input=config.input,
        structure=config.structure,
        charts=config.charts if has_charts(config.structure) else 1,
        latent=config.latent,
        size=size,
        points=config.points,
        categories=config.data.categories if config.data.meshes is None else (),
        training={
            "commit": commit(),
            "command": command,
            "seed": config.seed,
            "shapes": config.shapes,
        },
        metrics=held_out_chamfer(model, config, *held_out_sets(config, progress=True)),
    )
    encoder, decoder = encoder_to_onnx(model, config, size), decoder_to_onnx(model, config)
    card = write_card(config, manifest)
    return AtlasBundle.write(folder, manifest, with_half_weights(encoder), with_half_weights(decoder), card)


def encoder_to_onnx(model: AtlasModel, config: AtlasConfig, size: int) -> bytes:
    """For any number of clouds and of points of each, or of pictures of the size."""
    shapes = torch.export.Dim("shapes")
    if config.input == "cloud":
        sizes = {"points": {0: shapes, 1: torch.export.Dim("count")}}
        return exported(model.encoder, (torch.zeros(2, 5, 3),), ["latent"], sizes)
    image = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    return exported(model.encoder, (image,), ["latent"], {"image": {0: shapes}})


def decoder_to_onnx(model: AtlasModel, config: AtlasConfig) -> bytes:
    """For any number of latent vectors, and of points of each chart where these are given."""
    charts = regular_charts(config)
    shapes = torch.export.Dim("shapes")
    latent, names = torch.zeros(2, config.latent), ["points"]
    if config.structure == "points_normals":
        names = ["points", "normals"]
    per_chart = _PerChart(model.decoder, config.charts if charts is not None else 1)
    if charts is None or config.structure == "translation":
        return exported(per_chart, (latent,), names, {"latent": {0: shapes}})
    example = torch.zeros(charts.shape[0], 5, charts.shape[2])
    sizes = {"latent": {0: shapes}, "charts": {1: torch.export.Dim("count")}}
    return exported(per_chart, (latent, example), names, sizes)
