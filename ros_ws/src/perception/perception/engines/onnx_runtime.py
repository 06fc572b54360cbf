"""ONNX Runtime: runs everywhere, on the execution providers that the installed build brings."""

import os

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle import Bundle, Precision
from perception.errors import EngineError

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_BY_PREFERENCE = ("cuda", "cpu")  # of "onnxruntime"; the others have to be asked for


def best_device() -> str:
    """ "cuda" where the installed build knows it, else "cpu"."""
    available = onnxruntime.get_available_providers()
    return next(device for device in _BY_PREFERENCE if _PROVIDERS[device] in available)


class OnnxRuntimeEngine:
    """A bundle's network in an ONNX Runtime session that uses as many threads as this process may."""

    def __init__(self, bundle: Bundle, precision: Precision = "fp32", device: str = "cpu") -> None:
        """device: "cpu", "cuda", "tensorrt" or "openvino". Raises EngineError where the installed build lacks it or it
        cannot start, and where the bundle has no network in that precision, or one that does not match its manifest."""
        self._manifest, self._precision, self._device = bundle.manifest, precision, device
        if precision not in bundle.precisions:
            raise EngineError(f"{bundle.path} has no network in {precision}: export it again, or choose auto.")
        provider, available = _PROVIDERS[device], onnxruntime.get_available_providers()
        if provider not in available:
            raise EngineError(
                f"the engine 'onnxruntime-{device}' is not available in this installation: its ONNX Runtime has "
                f"{', '.join(available)}."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Idle threads that spin would take the cores from the other processes on a robot's computer.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = bundle.model_path(precision)
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=[provider])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            reason = str(error).splitlines()[0]
            raise EngineError(f"ONNX Runtime cannot open {path} ({reason}): export the bundle again.") from None
        if self._session.get_providers()[0] != provider:  # it goes on without one that does not start
            raise EngineError(
                f"the engine 'onnxruntime-{device}' does not start on this machine: its libraries or its device are "
                "missing."
            )
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        if inputs != [self._manifest.input.name] or self._manifest.output.name not in outputs:
            raise EngineError(
                f"{path} takes {inputs} and gives {outputs}, but its manifest says "
                f"{self._manifest.input.name} and {self._manifest.output.name}: export the bundle again."
            )

    @property
    def name(self) -> str:
        """ "onnxruntime-cpu", "onnxruntime-cpu-int8", "onnxruntime-cuda" and the like."""
        return f"onnxruntime-{self._device}" + ("" if self._precision == "fp32" else f"-{self._precision}")

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, of images (B, H, W, 3); raises ValueError or EngineError for wrong
        shapes."""
        wanted = (self._manifest.input.height, self._manifest.input.width, 3)
        if images.dtype != np.uint8 or images.shape[1:] != wanted:
            raise ValueError(
                f"images must be (B, {wanted[0]}, {wanted[1]}, 3) uint8, not {images.shape} {images.dtype}"
            )
        batch = {self._manifest.input.name: np.ascontiguousarray(images)}
        (found,) = self._session.run([self._manifest.output.name], batch)
        expected = (len(images), *self._manifest.output_shape)
        if found.shape != expected:
            raise EngineError(
                f"the network {self._manifest.name} gave {found.shape}, but its manifest says "
                f"{expected}: export the bundle again."
            )
        return np.asarray(found, dtype=np.float32)
