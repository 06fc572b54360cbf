"""The network with 8 bits for weights and activations, for processors that multiply bytes.

Static quantization (Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", CVPR 2018): a scale per output channel for weights, one per tensor for activations, whose ranges are those
of real images without the last hundred-thousandth. Of the convolutions, the one that gives the logits stays as it is.
Sums stay in floats, which costs no time and keeps maps closer to those of the network.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

IMAGES = 192
BATCH = 16
PERCENTILE = 99.999


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, images: NDArray[np.uint8]) -> None:
        size = min(BATCH, len(images))  # whole batches only: the calibrator takes none of another shape
        self._batches = iter([{name: images[i : i + size]} for i in range(0, len(images) - size + 1, size)])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)


def quantized(model: bytes, images: NDArray[np.uint8], seed: int = 0) -> bytes:
    """The ONNX network in 8 bits, with the ranges that some of the images (N, H, W, 3) give."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(images))[:IMAGES])
    with tempfile.TemporaryDirectory() as folder:
        given, ready, done = (Path(folder) / f"{name}.onnx" for name in ("given", "ready", "done"))
        given.write_bytes(model)
        quant_pre_process(given, ready)
        graph = onnx.load(ready).graph
        last = [node.name for node in graph.node if node.op_type == "Conv"][-1]
        reader = _Batches(graph.input[0].name, np.ascontiguousarray(images[chosen]))
        with _silence():
            quantize_static(
                ready,
                done,
                reader,
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=[last],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": PERCENTILE},
            )
        return done.read_bytes()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The quantizer tells of every tensor, in its log and by print."""
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
