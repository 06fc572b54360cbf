"""OpenVINO by its own Python interface, on the processor; where that multiplies in bfloat16 (AMX, AVX512-BF16), so does
OpenVINO."""

import os
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from perception.bundle import Bundle
from perception.engines.contract import check_found, check_images
from perception.engines.onnx_file import check_onnx
from perception.errors import EngineError, reason

OpenVinoPrecision = Literal["fp32", "bf16", "int8"]


class OpenVinoEngine:
    """A bundle's network, compiled once for each size of batch: networks for any size are slower, and their digits
    depend on what ran before."""

    def __init__(self, bundle: Bundle, precision: OpenVinoPrecision = "fp32") -> None:
        """Raises EngineError where OpenVINO is not installed, the processor has no bfloat16, or the bundle has no
        network in 8 bits or one that does not match its manifest."""
        self._manifest, self._precision = bundle.manifest, precision
        try:
            import openvino
        except ImportError:
            raise EngineError(
                f"the engine 'openvino-{precision}' is not available in this installation: install the extra openvino, "
                "or choose another engine."
            ) from None
        kept = "int8" if precision == "int8" else "fp32"
        if kept not in bundle.precisions:
            raise EngineError(f"{bundle.path} has no network in int8: export it again, or choose auto.")
        self._core = openvino.Core()
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("the engine 'openvino-bf16' needs a processor with bfloat16: choose openvino-fp32.")
        self._path, self._network = bundle.model_path(kept), bundle.network(kept)
        try:
            check_onnx(self._network)
        except ValueError as error:
            raise EngineError(f"OpenVINO cannot open {self._path} ({error}): export the bundle again.") from None
        self._requests: dict[int, Any] = {}
        self._request(1)

    @property
    def name(self) -> str:
        """ "openvino-fp32", "openvino-bf16" or "openvino-int8"."""
        return f"openvino-{self._precision}"

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, of images (B, H, W, 3); raises ValueError for images of another
        shape, EngineError for a network that fails or gives something else."""
        check_images(self._manifest, images)
        request = self._request(len(images))
        try:
            given = request.infer({self._manifest.input.name: np.ascontiguousarray(images)}, share_inputs=True)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot run the network {self._manifest.name} ({reason(error)}): export the bundle again."
            ) from None
        found = np.array(given[self._manifest.output.name], dtype=np.float32)
        check_found(self._manifest, len(images), found)
        return found

    def _request(self, count: int) -> Any:
        if count not in self._requests:
            size, output = self._manifest.input, self._manifest.output.name
            settings = {
                "INFERENCE_PRECISION_HINT": "bf16" if self._precision == "bf16" else "f32",
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
            }
            try:
                network = self._core.read_model(BytesIO(self._network))
                network.reshape({size.name: [count, size.height, size.width, 3]})
                compiled = self._core.compile_model(network, "CPU", settings)
                given = tuple(compiled.output(output).shape)
            except RuntimeError as error:
                last = str(error).strip().splitlines()[-1]
                raise EngineError(
                    f"OpenVINO cannot open {self._path} ({reason(last)}): export the bundle again."
                ) from None
            expected = (count, *self._manifest.output_shape)
            if given != expected:
                raise EngineError(
                    f"the network {self._manifest.name} gives {given}, but its manifest says {expected}: export the "
                    "bundle again."
                )
            self._requests[count] = compiled.create_infer_request()
        return self._requests[count]
