"""From trained weights to a bundle: encoder, masks and their gradient in ONNX, manifest and card."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perception.errors import BlockworldError
from perception.layers.bundle import ENCODER_FILE, GRADIENT_FILE, MASK_FILE, LayersBundle, LayersManifest
from training.core.checkpoint import load_checkpoint
from training.core.half_weights import with_half_weights
from training.core.onnx_export import exported
from training.core.provenance import commit
from training.layers.card import write_card
from training.layers.config import LayersConfig
from training.layers.evaluate import held_out_error
from training.layers.masks import Masks
from training.layers.model import LayersModel
from training.layers.sources import PictureSet

VERSION = "0.1.0"


class _Proposer(nn.Module):
    def __init__(self, model: LayersModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, target: Tensor, canvas: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model.proposed(target, canvas)
        return found.parameters, found.colours


class _MaskWithActivations(nn.Module):
    def __init__(self, masks: Masks) -> None:
        super().__init__()
        self.masks = masks

    def forward(self, points: Tensor, parameters: Tensor) -> tuple[Tensor, ...]:
        first, second, third = self.masks.activations(points, parameters)
        return self.masks.out(third)[..., 0], first, second, third


class MaskGradient(nn.Module):
    """What a pull on logits is as a pull on the parameters; engines know no gradients of their own.

    The backward pass is written out: with h_k the layers' outputs, the pull goes back through each hyperbolic tangent,
    whose derivative is 1 - h_k^2, and each layer's weights; and from each layer to the parameters that shift it."""

    def __init__(self, masks: Masks) -> None:
        super().__init__()
        assert masks.normalisation == "none"
        self.masks = masks

    def forward(self, points: Tensor, first: Tensor, second: Tensor, third: Tensor, pull: Tensor) -> Tensor:
        """(N, 2), (B, N, H) three times, (B, N) -> (B, P)."""
        own = self.masks
        back = pull[..., None] * own.out.weight * (1 - third * third)
        shifted = [back.sum(dim=1)]
        for layer, output in zip(reversed(own.hidden), (second, first), strict=True):
            assert isinstance(layer, nn.Linear)
            back = (back @ layer.weight) * (1 - output * output)
            shifted.append(back.sum(dim=1))
        if own.shifts is None:
            return shifted[2] @ own.code.weight
        weighted = torch.cat([points, torch.ones_like(points[:, :1])], dim=1).T @ back  # (B, 3, H)
        found = weighted.flatten(1) @ own.code.weight
        for shift, layer in zip(shifted, reversed(own.shifts), strict=False):
            assert isinstance(layer, nn.Linear)
            found = found + shift @ layer.weight
        return found


def export(config: LayersConfig, models_dir: Path, name: str, command: str) -> LayersBundle:
    """Write the bundle models_dir/NAME from `config.out`/weights.pt, measured on held-out pictures. command: that it
    was trained by.

    Raises BlockworldError where nothing was trained yet, or of a network without layers.
    """
    weights = load_checkpoint(config.out / "weights.pt")
    if weights is None:
        raise BlockworldError(f"{config.out} has no weights.pt: train first with `blockworld train`.")
    model = LayersModel(config)
    model.load_state_dict(weights)
    return write_bundle(model.eval(), config, models_dir / name, command)


def write_bundle(model: LayersModel, config: LayersConfig, folder: Path, command: str) -> LayersBundle:
    """The bundle of a network, weights in half precision."""
    if config.structure == "single":
        raise BlockworldError("a network of structure single has no layers, so there is no bundle of it.")
    training: dict[str, Any] = {"commit": commit(), "command": command, "seed": config.seed}
    manifest = LayersManifest(
        name=folder.name,
        version=VERSION,
        structure=config.structure,
        channels=config.channels,  # type: ignore[arg-type]
        layers=config.layers,
        parameters=config.mask_parameters,
        size=config.data.size_px,
        seen=config.seen_px,
        canvas=config.canvas_px,
        supersampling=config.supersampling,
        training=training | {"pictures": config.pictures, "source": config.data.source.name},
        metrics=held_out_error(model, config, PictureSet.opened(config.data, True)),
    )
    files = {ENCODER_FILE: encoder_to_onnx(model), MASK_FILE: mask_to_onnx(model)}
    if config.normalisation == "none":
        files[GRADIENT_FILE] = gradient_to_onnx(model)
    halved = {name: with_half_weights(content) for name, content in files.items()}
    return LayersBundle.write(folder, manifest, halved, write_card(config, manifest))


def encoder_to_onnx(model: LayersModel) -> bytes:
    """For any number of pictures."""
    config, pictures = model.config, torch.export.Dim("pictures")
    example = torch.zeros(2, config.channels, config.seen_px, config.seen_px)
    sizes = {"target": {0: pictures}, "canvas": {0: pictures}}
    return exported(_Proposer(model), (example, example.clone()), ["parameters", "colours"], sizes)


def mask_to_onnx(model: LayersModel) -> bytes:
    """For any number of masks, and of points."""
    sizes = {"points": {0: torch.export.Dim("count")}, "parameters": {0: torch.export.Dim("masks")}}
    examples = (torch.zeros(5, 2), torch.zeros(3, model.inputs))
    return exported(_MaskWithActivations(model.masks), examples, ["logits", "first", "second", "third"], sizes)


def gradient_to_onnx(model: LayersModel) -> bytes:
    """The same."""
    count, masks = torch.export.Dim("count"), torch.export.Dim("masks")
    layer = {0: masks, 1: count}
    sizes = {"points": {0: count}, "first": layer, "second": layer, "third": layer, "pull": layer}
    hidden = torch.zeros(3, 5, model.config.hidden)
    examples = (torch.zeros(5, 2), hidden, hidden.clone(), hidden.clone(), torch.zeros(3, 5))
    return exported(MaskGradient(model.masks), examples, ["gradient"], sizes)
