"""Inference engines: one way to run a bundle's network, whatever runs it underneath."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perception.bundle import Bundle
from perception.engines.onnx_runtime import OnnxRuntimeEngine
from perception.errors import EngineError

ENGINES = {"onnxruntime": OnnxRuntimeEngine}


class Engine(Protocol):
    """Runs the network of one bundle."""

    @property
    def name(self) -> str:
        """What runs the network, with the kind of device: "onnxruntime-cpu"."""
        ...

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, (B, ...), of images (B, H, W, 3) RGB."""
        ...


def open_engine(bundle: Bundle, engine: str = "auto") -> Engine:
    """Opens the bundle's network on the named engine; "auto" takes the first of ENGINES.

    Raises EngineError for an engine that is not available or a network that does not match its manifest.
    """
    name = next(iter(ENGINES)) if engine == "auto" else engine
    if name not in ENGINES:
        raise EngineError(
            f"engine {name!r} is not available in this installation: choose auto or {', '.join(ENGINES)}."
        )
    return ENGINES[name](bundle)
