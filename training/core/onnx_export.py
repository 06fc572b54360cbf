"""A network as an ONNX file, the same way for every recipe."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from torch import Tensor, nn

OPSET = 18


def exported(
    network: nn.Module, examples: tuple[Tensor, ...], outputs: Sequence[str], sizes: dict[str, dict[int, Any]]
) -> bytes:
    """The network as it computes without training, checked.

    examples: one for each input, in which a size that may differ is not 1, which would be taken for a constant. sizes:
    of each input by its name, in their order, the axes that may differ, each a `torch.export.Dim`.
    """
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            network.eval(),
            examples,
            dynamo=True,
            input_names=list(sizes),
            output_names=list(outputs),
            dynamic_shapes=tuple(sizes.values()),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of packages that are not needed here, and of axes that share a name on purpose."""
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = registry.level
    registry.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*shares the same shape constraints")
        try:
            yield
        finally:
            registry.setLevel(before)
