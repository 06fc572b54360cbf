"""Weights to begin a training with: those of a training before, or of a bundle."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from perception.errors import BlockworldError
from perception.shapes.bundle import DECODER_FILE, ENCODER_FILE, ShapeBundle
from training.core.checkpoint import load_checkpoint
from training.core.half_weights import HALF
from training.shapes.model import DeformationNetwork


def warm_start(network: DeformationNetwork, source: Path) -> None:
    """Give the network the weights of `source`: a weights.pt, or the folder of a bundle, rounded to half precision.

    Raises BlockworldError where there are none, or those of a network of another size.
    """
    if source.is_dir():
        bundle = ShapeBundle.load(source)
        weights = {f"encoder.{name}": value for name, value in _weights(bundle.read(ENCODER_FILE)).items()}
        weights |= _weights(bundle.read(DECODER_FILE))
    else:
        saved = load_checkpoint(source)
        if saved is None:
            raise BlockworldError(f"warm_start {source} does not exist: give a weights.pt or the folder of a bundle.")
        weights = saved
    own = network.state_dict()
    if any(name not in weights or weights[name].shape != value.shape for name, value in own.items()):
        raise BlockworldError(f"{source} has a network of another size: give this one its encoder, decoder and latent.")
    network.load_state_dict({name: weights[name] for name in own})


def _weights(model: bytes) -> dict[str, Tensor]:
    """Weights by their names in the network that was exported.

    The exporter may keep a layer's weight transposed and without its name; then it is found by the bias added to its
    product.
    """
    graph = onnx.load_from_string(model).graph
    values = {one.name.removesuffix(HALF): numpy_helper.to_array(one).astype(np.float32) for one in graph.initializer}
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        bias = next((name for name in node.input if name.endswith(".bias")), None)
        if node.op_type == "Add" and bias is not None:
            weight = next((products[name] for name in node.input if name in products), None)
            if weight in values:
                values[bias.removesuffix("bias") + "weight"] = values[weight].T
    return {name: torch.tensor(value) for name, value in values.items()}
