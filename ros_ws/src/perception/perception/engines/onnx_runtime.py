"""ONNX Runtime: runs everywhere, on the execution providers that the installed build brings."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle import Bundle, Precision
from perception.engines.contract import check_found, check_images, fits, image_shape
from perception.engines.onnx_file import check_onnx
from perception.errors import EngineError, reason

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
MOST_MEMORY_BYTES = 1 << 31
"""Of all networks of a process on the processor: those that come with this package take a sixteenth for 12 images."""
_Declared = dict[str, tuple[str, list[int | str | None]]]
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
        _bound_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.load_model_format", "ONNX")  # and not what its first bytes say
        path, network = bundle.model_path(precision), bundle.network(precision)
        try:
            check_onnx(network)
            # From the bytes that were checked: the file could be another one by now.
            self._session = onnxruntime.InferenceSession(network, options, providers=[provider], enable_fallback=0)
            given, found = self._session.get_inputs(), self._session.get_outputs()
            takes = {node.name: (node.type, node.shape) for node in given}
            gives = {node.name: (node.type, node.shape) for node in found}
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise EngineError(f"ONNX Runtime cannot open {path} ({reason(error)}): export the bundle again.") from None
        if self._session.get_providers()[0] != provider:  # it goes on without one that does not start
            raise EngineError(
                f"the engine 'onnxruntime-{device}' does not start on this machine: its libraries or its device are "
                "missing."
            )
        self._check_declared(path, takes, gives)

    @property
    def name(self) -> str:
        """ "onnxruntime-cpu", "onnxruntime-cpu-int8", "onnxruntime-cuda" and the like."""
        return f"onnxruntime-{self._device}" + ("" if self._precision == "fp32" else f"-{self._precision}")

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, of images (B, H, W, 3); raises ValueError for images of another
        shape, EngineError for a network that fails or gives something else."""
        check_images(self._manifest, images)
        batch = {self._manifest.input.name: np.ascontiguousarray(images)}
        try:
            (found,) = self._session.run([self._manifest.output.name], batch)
        except Exception as error:  # as above
            raise EngineError(
                f"ONNX Runtime cannot run the network {self._manifest.name} ({reason(error)}): export the bundle again."
            ) from None
        check_found(self._manifest, len(images), found)
        return np.asarray(found, dtype=np.float32)

    def _check_declared(self, path: Path, takes: _Declared, gives: _Declared) -> None:
        """Raises EngineError unless the network takes and gives what the manifest says."""
        own = self._manifest
        sides = (
            (takes, own.input.name, "tensor(uint8)", image_shape(own)),
            (gives, own.output.name, "tensor(float)", own.output_shape),
        )
        for declared, name, kind, one in sides:
            found_kind, shape = declared.get(name, ("", []))
            if len(takes) != 1 or found_kind != kind or not fits(shape, one):
                raise EngineError(
                    f"{path} takes {_told(takes)} and gives {_told(gives)}, but its manifest says {name} as {kind} of "
                    f"shape (B, {', '.join(map(str, one))}): export the bundle again."
                )


def _told(declared: _Declared) -> str:
    return reason(", ".join(f"{name} as {kind} of shape {shape}" for name, (kind, shape) in declared.items()))


@cache
def _bound_memory() -> None:
    """Makes the sessions of this process share what memory they may have, so that no network takes all there is."""
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY_BYTES}))
