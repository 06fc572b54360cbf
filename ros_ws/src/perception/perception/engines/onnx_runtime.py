"""ONNX Runtime: runs everywhere, on the execution providers that the installed build brings."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
# Threads that wait for each other within a run spin this long and then sleep, and none spins between runs: longer, and
# they would take the cores from the other processes on a robot's computer.
_SPIN = {"session.intra_op.spin_duration_us": "50", "session.force_spinning_stop": "1"}


def best_device() -> str:
    """ "cuda" where the installed build knows it, else "cpu"."""
    available = onnxruntime.get_available_providers()
    return next(device for device in _BY_PREFERENCE if _PROVIDERS[device] in available)


class OnnxRuntimeEngine:
    """A bundle's network in an ONNX Runtime session that uses as many threads as this process may.

    On a processor each thread computes an even share of the batch alone, waiting for nobody; what is left over they
    compute together. What an image gives is the same to the bit, alone or in any batch.
    """

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
        self._threads = len(os.sched_getaffinity(0))
        path = bundle.model_path(precision)
        try:
            self._session = _session(path, provider, self._threads)
            alone = device == "cpu" and self._threads > 1
            self._single = _session(path, provider, 1) if alone else None  # runs in the thread that calls it
        except Exception as error:  # onnxruntime's own exceptions share no base class
            reason = str(error).splitlines()[0]
            raise EngineError(f"ONNX Runtime cannot open {path} ({reason}): export the bundle again.") from None
        self._workers = ThreadPoolExecutor(self._threads)
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
        images = np.ascontiguousarray(images)
        found = np.empty((len(images), *self._manifest.output_shape), np.float32)
        share = 0 if self._single is None else len(images) // self._threads
        shared = share * self._threads
        parts = [slice(i, i + share) for i in range(0, shared, share)] if share else []
        sessions = [self._single] * len(parts)
        list(self._workers.map(self._run_into, sessions, [images[p] for p in parts], [found[p] for p in parts]))
        if shared < len(images):
            self._run_into(self._session, images[shared:], found[shared:])
        return found

    def _run_into(
        self, session: onnxruntime.InferenceSession, images: NDArray[np.uint8], found: NDArray[np.float32]
    ) -> None:
        """Runs the network; the output is written where it belongs, not copied there."""
        binding = session.io_binding()
        binding.bind_input(self._manifest.input.name, "cpu", 0, np.uint8, images.shape, images.ctypes.data)
        binding.bind_output(self._manifest.output.name, "cpu", 0, np.float32, found.shape, found.ctypes.data)
        try:
            session.run_with_iobinding(binding)
        except Exception as error:
            raise EngineError(
                f"the network {self._manifest.name} does not give {found.shape}, which its manifest says "
                f"({str(error).splitlines()[0]}): export the bundle again."
            ) from None


def _session(path: Path, provider: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in _SPIN.items():
        options.add_session_config_entry(name, value)
    return onnxruntime.InferenceSession(path, options, providers=[provider])
