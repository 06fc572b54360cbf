"""A TensorRT and a CUDA that know what the real ones declare and nothing else: calls of other names or arguments fail.

Engines are the ONNX files themselves, run by ONNX Runtime, so that what comes out is what the network gives.
"""

import ctypes
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

DECLARED = json.loads((Path(__file__).parent / "tensorrt_signatures.json").read_text())
PLAN = b"plan of "


class Declared:
    """An object of a class that the bindings declare: `answers` says what its methods give."""

    def __init__(self, classes: dict, name: str, calls: list, **answers: Any) -> None:
        self._classes, self._name, self._calls, self._answers = classes, name, calls, answers

    def __getattr__(self, member: str) -> Any:
        declared = self._classes[self._name]
        assert member in declared, f"TensorRT's {self._name} has no {member}"
        answer = self._answers.get(member)
        if not declared[member]:
            return answer

        def call(*values: Any) -> Any:
            fits_one(declared[member], values, f"{self._name}.{member}")
            self._calls.append((f"{self._name}.{member}", values))
            return answer(*values) if callable(answer) else answer

        return call


def fits_one(overloads: list[list[str]], values: tuple, what: str) -> None:
    """Fails where no overload takes so many values."""
    counts = [(sum(not name.startswith("[") for name in one), len(one)) for one in overloads]
    assert any(least <= len(values) <= most for least, most in counts), f"{what} does not take {len(values)} values"


class DeclaredTensorRt:
    """The module tensorrt of one recorded version; calls: all that was called, with its values."""

    def __init__(self, recorded: dict, reads: bool = True, builds: bool = True) -> None:
        self.classes, self.calls, self.__version__ = recorded["classes"], [], recorded["version"]
        self.reads, self.builds = reads, builds
        for name, members in recorded["enums"].items():
            setattr(self, name, SimpleNamespace(**{member: i for i, member in enumerate(members)}))
        assert "nptype" in recorded["functions"]

    def nptype(self, kind: Any) -> Any:
        """The real one's job."""
        return {"HALF": np.float16, "FLOAT": np.float32}[kind]

    def one(self, name: str, **answers: Any) -> Declared:
        """An object of a class."""
        return Declared(self.classes, name, self.calls, **answers)

    def Logger(self, severity: Any) -> Declared:
        fits_one(self.classes["Logger"]["__init__"], (severity,), "Logger")
        return self.one("Logger")

    Logger.WARNING = 2

    def Builder(self, logger: Any) -> Declared:
        fits_one(self.classes["Builder"]["__init__"], (logger,), "Builder")
        timings = self.one("ITimingCache", serialize=b"timings")
        config = self.one(
            "IBuilderConfig",
            create_timing_cache=timings,
            set_timing_cache=True,
            get_timing_cache=timings,
            add_optimization_profile=0,
        )
        return self.one(
            "Builder",
            create_network=self.one("INetworkDefinition"),
            create_builder_config=config,
            create_optimization_profile=self.one("IOptimizationProfile"),
            build_serialized_network=lambda network, config: PLAN + self.parsed if self.builds else None,
        )

    def OnnxParser(self, network: Any, logger: Any) -> Declared:
        fits_one(self.classes["OnnxParser"]["__init__"], (network, logger), "OnnxParser")

        def parse(model: bytes) -> bool:
            self.parsed = bytes(model)
            return self.reads

        return self.one("OnnxParser", parse=parse, num_errors=1, get_error="no kernel for Abacus")

    def Runtime(self, logger: Any) -> Declared:
        fits_one(self.classes["Runtime"]["__init__"], (logger,), "Runtime")
        return self.one("Runtime", deserialize_cuda_engine=self._engine)

    def _engine(self, plan: bytes) -> Declared | None:
        if not plan.startswith(PLAN):
            return None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(plan.removeprefix(PLAN), options)
        places: dict[str, int] = {}
        shapes: dict[str, tuple] = {}

        def execute(stream: int) -> bool:
            (given,), (wanted,) = session.get_inputs(), session.get_outputs()
            shape = shapes[given.name]
            size = int(np.prod(shape))
            image = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(places[given.name])).reshape(shape)
            (found,) = session.run([wanted.name], {given.name: image})
            ctypes.memmove(places[wanted.name], np.ascontiguousarray(found).ctypes.data, found.nbytes)
            return True

        context = self.one(
            "IExecutionContext",
            set_input_shape=lambda name, shape: shapes.update({name: shape}) or True,
            set_tensor_address=lambda name, place: places.update({name: place}) or True,
            execute_async_v3=execute,
        )
        return self.one("ICudaEngine", create_execution_context=context, get_tensor_dtype=lambda name: "FLOAT")


class HostCuda:
    """CUDA's runtime on host memory; device: what cudaGetDeviceProperties tells."""

    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)

    def __init__(self, device: str = "NVIDIA Abacus", capability: tuple[int, int] = (9, 0)) -> None:
        self.device, self.capability, self.kept = device, capability, {}

    def cudaGetDeviceProperties(self, device: int) -> tuple:
        major, minor = self.capability
        return 0, SimpleNamespace(name=self.device.encode() + b"\0\0", major=major, minor=minor)

    def cudaStreamCreate(self) -> tuple:
        return 0, 7

    def cudaMalloc(self, size: int) -> tuple:
        block = ctypes.create_string_buffer(size)
        self.kept[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def cudaMemcpyAsync(self, to: int, start: int, size: int, kind: int, stream: int) -> tuple:
        device = to if kind == self.cudaMemcpyKind.cudaMemcpyHostToDevice else start
        assert size <= len(self.kept[device]), "beyond what was allocated"
        ctypes.memmove(to, start, size)
        return (0,)

    def cudaStreamSynchronize(self, stream: int) -> tuple:
        return (0,)

    def cudaFree(self, place: int) -> tuple:
        del self.kept[place]
        return (0,)

    def cudaStreamDestroy(self, stream: int) -> tuple:
        return (0,)
