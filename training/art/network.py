"""A backbone's network on the processor, by the fastest way that is installed.

Measured (`./run bench art`): ONNX Runtime computes in single precision at nearly the rate of its bare multiplications,
so that what is faster has to multiply less, or smaller numbers. OpenVINO multiplies in bfloat16 where the processor
does, which halves the time; a vector of features then turns by about a degree.
"""

import os
from collections.abc import Callable
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from perception.engines.onnx_file import check_onnx
from perception.engines.onnx_session import open_session
from perception.errors import EngineError, reason

Engine = Literal["onnxruntime-cpu", "openvino-bf16"]
ENGINES = get_args(Engine)
_Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Network:
    """An ONNX file of `training.art.backbone.to_onnx`, opened."""

    def __init__(self, content: bytes, engine: Engine | None = None, threads: int | None = None) -> None:
        """engine: which one runs it; None chooses. threads: None for one on each processor. Raises EngineError where
        the engine is not available here, or for an ONNX file that it cannot open."""
        self.engine = engine or fastest_engine()
        threads = threads or len(os.sched_getaffinity(0))
        opened = _openvino if self.engine == "openvino-bf16" else _onnx_runtime
        try:
            self._run: _Run = opened(content, threads)
        except EngineError:
            raise
        except Exception as error:  # the engines' own exceptions share no base class
            raise EngineError(f"{self.engine} cannot open the network ({reason(error)}): delete its cache.") from None

    def run(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) -> (h, w, C) unit vectors."""
        try:
            return self._run(np.ascontiguousarray(image)[None])
        except Exception as error:  # as above
            raise EngineError(f"{self.engine} cannot run the network ({reason(error)}).") from None


def fastest_engine() -> Engine:
    """OpenVINO where it is installed and the processor multiplies in bfloat16, else ONNX Runtime."""
    try:
        return "openvino-bf16" if _multiplies_bfloat16() else "onnxruntime-cpu"
    except ImportError:
        return "onnxruntime-cpu"


def _multiplies_bfloat16() -> bool:
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _onnx_runtime(content: bytes, threads: int) -> _Run:
    session = open_session(content, "CPUExecutionProvider", threads)
    return lambda image: cast(Any, session.run(["features"], {"image": image})[0])[0]


def _openvino(content: bytes, threads: int) -> _Run:
    try:
        available = _multiplies_bfloat16()
        import openvino
    except ImportError:
        raise EngineError("openvino-bf16 is not installed: install the extra openvino, or choose another.") from None
    if not available:
        raise EngineError("openvino-bf16 needs a processor with bfloat16: choose onnxruntime-cpu.")
    check_onnx(content)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(content), "CPU", settings).create_infer_request()
    # What comes back is the request's own memory, which the next run overwrites.
    return lambda image: np.array(request.infer({"image": image}, share_inputs=True)["features"][0])
