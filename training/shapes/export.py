"""From trained weights to a bundle: encoder, decoder with its gradient, template, manifest and card."""

from pathlib import Path

import torch
from torch import Tensor, nn

from perception.errors import BlockworldError
from perception.shapes.bundle import ShapeBundle, ShapeManifest
from perception.shapes.normalise import frame_of
from perception.shapes.shape import Shape
from training.core.checkpoint import load_checkpoint
from training.core.half_weights import with_half_weights
from training.core.onnx_export import exported
from training.core.provenance import commit
from training.shapes.card import write_card
from training.shapes.config import ShapesConfig
from training.shapes.evaluate import held_out_error
from training.shapes.model import REACH, Decoder, DeformationNetwork
from training.shapes.shape_set import ShapeSet
from training.shapes.train import network_of, shape_sets

VERSION = "0.1.0"


class DecoderWithGradient(nn.Module):
    """The decoder, and with it what a Chamfer step pulls the latent vector by; engines know no gradients of their own.

    The backward pass is written out: with h_k the layers' outputs, the error of the deformed points goes back through
    the hyperbolic tangent and, where h_k > 0, through each layer's weights.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latent: Tensor, template: Tensor, weight: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L), (M, 3), (B, M, 1), (B, M, 3) -> deformed (B, M, 3) and
        sum_i <weight_i deformed_i - target_i, d deformed_i / d latent> (B, L)."""
        own = self.decoder
        outputs = [torch.relu(own.place(template) + own.code(latent)[:, None])]
        for layer in own.hidden:
            outputs.append(torch.relu(layer(outputs[-1])))
        bent = torch.tanh(own.out(outputs[-1]) / REACH)
        deformed = REACH * bent
        error = ((weight * deformed - target) * (1 - bent * bent)) @ own.out.weight
        for layer, output in zip(reversed(own.hidden), reversed(outputs[1:]), strict=True):
            assert isinstance(layer, nn.Linear)
            error = (error * (output > 0)) @ layer.weight
        return deformed, (error * (outputs[0] > 0)).sum(dim=1) @ own.code.weight


def export(config: ShapesConfig, models_dir: Path, name: str) -> ShapeBundle:
    """Write the bundle models_dir/NAME from `config.out`/weights.pt, measured on held-out shapes.

    Raises BlockworldError where nothing was trained yet.
    """
    shapes, held_out = shape_sets(config, progress=True)
    network = network_of(config)
    weights = load_checkpoint(config.out / "weights.pt")
    if weights is None:
        raise BlockworldError(f"{config.out} has no weights.pt: train first with `blockworld train {recipe_of(name)}`.")
    network.load_state_dict(weights)
    return write_bundle(network.eval(), config, shapes, held_out, models_dir / name)


def write_bundle(
    network: DeformationNetwork, config: ShapesConfig, shapes: ShapeSet, held_out: ShapeSet, folder: Path
) -> ShapeBundle:
    """The bundle of a network, weights in half precision."""
    manifest = ShapeManifest(
        name=folder.name,
        version=VERSION,
        category=config.category,
        latent=config.latent,
        points=config.points,
        training={
            "commit": commit(),
            "command": f"blockworld train {recipe_of(folder.name)}",
            "supervision": config.supervision,
            "seed": config.seed,
            "shapes": config.shapes,
        },
        metrics={"encoder_alone_mean_m": held_out_error(network, config, held_out)},
    )
    encoder, decoder = encoder_to_onnx(network), decoder_to_onnx(network)
    template = Shape(frame_of(shapes.template).normalised(shapes.mesh.points), shapes.mesh.faces)
    return ShapeBundle.write(
        folder,
        manifest,
        with_half_weights(encoder),
        with_half_weights(decoder),
        template,
        write_card(config, manifest),
    )


def encoder_to_onnx(network: DeformationNetwork) -> bytes:
    """For any number of shapes, and of points of each."""
    sizes = {"points": {0: torch.export.Dim("shapes"), 1: torch.export.Dim("count")}}
    return exported(network.encoder, (torch.zeros(2, 5, 3),), ["latent"], sizes)


def decoder_to_onnx(network: DeformationNetwork) -> bytes:
    """For any number of latent vectors, and of points of the template."""
    shapes, count = torch.export.Dim("shapes"), torch.export.Dim("count")
    sizes = {
        "latent": {0: shapes},
        "template": {0: count},
        "weight": {0: shapes, 1: count},
        "target": {0: shapes, 1: count},
    }
    latent = network.decoder.code.in_features
    examples = (torch.zeros(2, latent), torch.zeros(5, 3), torch.zeros(2, 5, 1), torch.zeros(2, 5, 3))
    return exported(DecoderWithGradient(network.decoder), examples, ["deformed", "gradient"], sizes)


def recipe_of(name: str) -> str:
    """Of the bundle of that name."""
    return name.replace("_", "-")
