"""ONNX Runtime: runs everywhere, on the execution providers that the installed build brings."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle import Bundle, Precision
from perception.engines.contract import check_found, check_images, fits, image_shape
from perception.engines.onnx_session import open_session
from perception.errors import EngineError, reason

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_Declared = dict[str, tuple[str, list[int | str | None]]]
_BY_PREFERENCE = ("cuda", "cpu")  # of "onnxruntime"; the others have to be asked for


def best_device() -> str:
    """ "cuda" where the installed build knows it, else "cpu"."""
    available = onnxruntime.get_available_providers()
    return next(device for device in _BY_PREFERENCE if _PROVIDERS[device] in available)


class OnnxRuntimeEngine:
    """A bundle's network in an ONNX Runtime session that uses as many threads as this process may.

    On a processor each thread computes an even share of the batch alone, waiting for nobody; what is left over they
    compute together. The same batch gives the same bits each time; what an image gives alone or in another batch
    differs by a rounding at most.
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
        path, network = bundle.model_path(precision), bundle.network(precision)
        try:
            # From the bytes that were checked: the file could be another one by now.
            self._session = open_session(network, provider, self._threads)
            alone = device == "cpu" and self._threads > 1
            self._single = open_session(network, provider, 1) if alone else None  # runs in the thread that calls it
            takes = {node.name: (node.type, node.shape) for node in self._session.get_inputs()}
            gives = {node.name: (node.type, node.shape) for node in self._session.get_outputs()}
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise EngineError(f"ONNX Runtime cannot open {path} ({reason(error)}): export the bundle again.") from None
        self._workers = ThreadPoolExecutor(self._threads, thread_name_prefix="network")
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
        images = np.ascontiguousarray(images)
        found = np.empty((len(images), *self._manifest.output_shape), np.float32)
        share = 0 if self._single is None else len(images) // self._threads
        shared = share * self._threads
        parts = [slice(i, i + share) for i in range(0, shared, share)] if share else []
        sessions = [self._single] * len(parts)
        list(self._workers.map(self._run_into, sessions, [images[p] for p in parts], [found[p] for p in parts]))
        if shared < len(images):
            self._run_into(self._session, images[shared:], found[shared:])
        check_found(self._manifest, len(images), found)
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
        except Exception as error:  # as above
            raise EngineError(
                f"ONNX Runtime cannot run the network {self._manifest.name} ({reason(error)}): export the bundle again."
            ) from None

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
