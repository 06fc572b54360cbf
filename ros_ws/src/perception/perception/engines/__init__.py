"""Inference engines: one way to run a bundle's network, whatever runs it underneath."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perception.bundle import Bundle, Precision
from perception.engines.machine import multiplies_bytes
from perception.engines.onnx_runtime import OnnxRuntimeEngine, is_on_cpu
from perception.errors import EngineError

_PRECISIONS: dict[str, Precision] = {"onnxruntime": "fp32", "onnxruntime-int8": "int8"}
ENGINES = tuple(_PRECISIONS)


class Engine(Protocol):
    """Runs the network of one bundle."""

    @property
    def name(self) -> str:
        """What runs the network, with the kind of device and the precision where it is not fp32:
        "onnxruntime-cpu-int8"."""
        ...

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, (B, ...), of images (B, H, W, 3) RGB."""
        ...


def open_engine(bundle: Bundle, engine: str = "auto") -> Engine:
    """Opens the bundle's network on the named engine.

    "auto" takes the fastest that this machine has for the bundle: 8 bits where the bundle has them and a processor that
    multiplies bytes runs it, else single precision. Raises EngineError for an engine that is not available, a bundle
    without what the engine runs, or a network that does not match its manifest.
    """
    name = _fastest(bundle) if engine == "auto" else engine
    if name not in ENGINES:
        raise EngineError(
            f"engine {name!r} is not available in this installation: choose auto or {', '.join(ENGINES)}."
        )
    return OnnxRuntimeEngine(bundle, _PRECISIONS[name])


def engines_for(bundle: Bundle) -> tuple[str, ...]:
    """Names of the engines that have something to run in the bundle."""
    return tuple(name for name, precision in _PRECISIONS.items() if precision in bundle.precisions)


def _fastest(bundle: Bundle) -> str:
    suits = "onnxruntime-int8" in engines_for(bundle) and is_on_cpu() and multiplies_bytes()
    return "onnxruntime-int8" if suits else "onnxruntime"
