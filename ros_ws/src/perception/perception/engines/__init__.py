"""Inference engines: one way to run a bundle's network, whatever runs it underneath."""

from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from perception.bundle import Bundle
from perception.engine_names import AUTO, ENGINES
from perception.engines.machine import multiplies_bytes
from perception.engines.onnx_runtime import OnnxRuntimeEngine, best_device
from perception.engines.openvino import OpenVinoEngine, OpenVinoPrecision
from perception.engines.precision import TensorRtPrecision
from perception.engines.tensorrt import TensorRtEngine
from perception.errors import EngineError


class Engine(Protocol):
    """Runs the network of one bundle."""

    @property
    def name(self) -> str:
        """What runs the network: one of ENGINES, with which it can be asked for again."""
        ...

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, (B, ...), of images (B, H, W, 3) RGB."""
        ...


def open_engine(bundle: Bundle, engine: str = AUTO) -> Engine:
    """Opens the bundle's network on the named engine of ENGINES, and on no other: only "auto" chooses.

    Raises EngineError for an engine that is not available here, a bundle without what the engine runs, or a network
    that does not match its manifest, and BundleError for files that are no longer those that were checked.
    """
    if engine not in ENGINES:
        raise EngineError(f"there is no engine {engine!r}: choose one of {', '.join(ENGINES)}.")
    if engine == AUTO:
        return _fastest(bundle)
    family, _, kind = engine.partition("-")
    if family == "tensorrt":
        return TensorRtEngine(bundle, cast(TensorRtPrecision, kind))
    if family == "openvino":
        return OpenVinoEngine(bundle, cast(OpenVinoPrecision, kind))
    device, _, precision = kind.partition("-")
    return OnnxRuntimeEngine(bundle, "int8" if precision == "int8" else "fp32", device or best_device())


def _fastest(bundle: Bundle) -> Engine:
    try:
        return TensorRtEngine(bundle, "fp16")
    except EngineError:  # none was built for this machine
        device = best_device()
    suits = device == "cpu" and "int8" in bundle.precisions and multiplies_bytes()
    return OnnxRuntimeEngine(bundle, "int8" if suits else "fp32", device)


def engines_for(bundle: Bundle) -> dict[str, str]:
    """What each engine but "auto" says to the bundle on this machine: "" where it runs it, else why not."""
    found = {}
    for name in ENGINES:
        if name == AUTO:
            continue
        try:
            open_engine(bundle, name)
            found[name] = ""
        except EngineError as error:
            found[name] = str(error)
    return found
