"""TensorRT 10 and 11 by their own Python interface: engines are built once, for one GPU, and loaded from disk.

Networks are strongly typed - the only kind that TensorRT 11 knows: precision is that of the ONNX file, so half
precision and 8 bits are networks of their own (`perception.engines.precision`).

Not run: no machine of this project has TensorRT's libraries. Names and arguments of all calls are checked against what
the bindings of 10.16 and 11.4 declare.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.bounded_files import read_bounded
from perception.bundle import Bundle
from perception.engines.contract import check_found, check_images
from perception.engines.engine_files import EngineKey, engines_dir, read_engine, write_engine, write_whole
from perception.engines.precision import TensorRtPrecision, model_of, network_in
from perception.errors import EngineError

MOST_IMAGES = 12
"""Largest batch of an engine: the pictures of two hypotheses in six views. More are shared out."""
USUAL_IMAGES = 6
_WORKSPACE = 1 << 30  # bytes
_MOST_TIMINGS = 1 << 28  # bytes


class TensorRtEngine:
    """A bundle's network in a TensorRT engine that was built before, on the first GPU."""

    def __init__(self, bundle: Bundle, precision: TensorRtPrecision = "fp16", folder: Path | None = None) -> None:
        """Raises EngineError where TensorRT, a GPU, or the engine for it is missing, and what builds it."""
        trt, cuda = _modules()
        self._manifest, self._precision, self._cuda = bundle.manifest, precision, cuda
        self._key = key_of(bundle, precision)
        try:
            plan = read_engine(folder or engines_dir(), self._key)
        except EngineError as error:
            raise EngineError(
                f"{error} Build it with `blockworld engine build {bundle.path.name} --precision {precision}`."
            ) from None
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(
                f"TensorRT cannot load the engine of {bundle.path.name}: build it again with `blockworld engine build "
                f"{bundle.path.name} --precision {precision}`."
            )
        self._context = self._engine.create_execution_context()
        self._stream = _checked(cuda.cudaStreamCreate())
        most = self._key.most_images
        size = self._manifest.input
        self._output_type = np.dtype(trt.nptype(self._engine.get_tensor_dtype(self._manifest.output.name)))
        self._input = _checked(cuda.cudaMalloc(most * size.height * size.width * 3))
        outputs = most * int(np.prod(self._manifest.output_shape))
        self._output = _checked(cuda.cudaMalloc(outputs * self._output_type.itemsize))

    @property
    def name(self) -> str:
        """ "tensorrt-fp16" and the like."""
        return f"tensorrt-{self._precision}"

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the manifest's output describes, of images (B, H, W, 3), in batches of what the engine was built for;
        raises ValueError for wrong shapes, EngineError where the GPU fails or gives something else."""
        check_images(self._manifest, images)
        most = self._key.most_images
        found = np.concatenate([self._some(images[i : i + most]) for i in range(0, len(images), most)])
        check_found(self._manifest, len(images), found)
        return found

    def _some(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        cuda, own = self._cuda, np.ascontiguousarray(images)
        found = np.empty((len(own), *self._manifest.output_shape), self._output_type)
        up, down = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._context.set_input_shape(self._manifest.input.name, own.shape)
        self._context.set_tensor_address(self._manifest.input.name, int(self._input))
        self._context.set_tensor_address(self._manifest.output.name, int(self._output))
        _checked(cuda.cudaMemcpyAsync(self._input, own.ctypes.data, own.nbytes, up, self._stream))
        if not self._context.execute_async_v3(int(self._stream)):
            raise EngineError(f"TensorRT failed on {len(own)} images of {self._manifest.name}: see its log.")
        _checked(cuda.cudaMemcpyAsync(found.ctypes.data, self._output, found.nbytes, down, self._stream))
        _checked(cuda.cudaStreamSynchronize(self._stream))
        return np.asarray(found, dtype=np.float32)

    def __del__(self) -> None:
        for name in ("_input", "_output"):
            if hasattr(self, name):
                self._cuda.cudaFree(getattr(self, name))
        if hasattr(self, "_stream"):
            self._cuda.cudaStreamDestroy(self._stream)


def key_of(bundle: Bundle, precision: TensorRtPrecision) -> EngineKey:
    """What an engine of the bundle on the first GPU of this machine is built for; raises EngineError without one."""
    trt, cuda = _modules()
    properties = _checked(cuda.cudaGetDeviceProperties(0))
    return EngineKey(
        bundle=bundle.manifest.name,
        model_sha256=bundle.manifest.sha256[model_of(bundle, precision).name],
        precision=precision,
        builder=f"tensorrt {trt.__version__}",
        device=properties.name.decode(errors="replace").rstrip("\0"),
        capability=f"{properties.major}.{properties.minor}",
        most_images=MOST_IMAGES,
    )


def build(bundle: Bundle, precision: TensorRtPrecision = "fp16", folder: Path | None = None) -> Path:
    """Builds the bundle's engine for the first GPU, which takes minutes, and writes it to the folder.

    Raises EngineError where TensorRT, a GPU or the 8-bit network is missing, or TensorRT cannot build it.
    """
    trt, _ = _modules()
    key, place = key_of(bundle, precision), folder or engines_dir()
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(network_in(bundle, precision)):
        reasons = "; ".join(str(parser.get_error(i)) for i in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot read the network of {bundle.path.name} ({reasons}): export it again.")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE)
    timings = place / _timings_of(key)
    cache = config.create_timing_cache(_kept(timings))
    config.set_timing_cache(cache, False)
    profile = builder.create_optimization_profile()
    size = (bundle.manifest.input.height, bundle.manifest.input.width, 3)
    profile.set_shape(bundle.manifest.input.name, (1, *size), (USUAL_IMAGES, *size), (MOST_IMAGES, *size))
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"TensorRT cannot build the network of {bundle.path.name} in {precision}: see its log.")
    written = write_engine(place, key, bytes(plan))
    write_whole(timings, bytes(config.get_timing_cache().serialize()))
    return written


def _kept(timings: Path) -> bytes:
    """Measured kernels, or none: without them building only takes longer."""
    try:
        return read_bounded(timings, _MOST_TIMINGS)
    except OSError:
        return b""


def _timings_of(key: EngineKey) -> str:
    """Name of the file of measured kernels: another version of TensorRT, or another GPU, has its own."""
    return f"timings-{hashlib.sha256(f'{key.builder} {key.device} {key.capability}'.encode()).hexdigest()[:16]}.cache"


def _modules() -> tuple[Any, Any]:
    """TensorRT's module and CUDA's runtime; raises EngineError where one is not installed or finds no libraries."""
    try:
        import tensorrt
        from cuda.bindings import runtime
    except (ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise EngineError(
            f"the engine 'tensorrt' is not available in this installation ({reason}): install TensorRT and the "
            "extra tensorrt, or choose another engine."
        ) from None
    return tensorrt, runtime


def _checked(result: tuple[Any, ...]) -> Any:
    """What a CUDA call gave; raises EngineError where it failed."""
    error, *values = result
    if int(error) != 0:
        raise EngineError(f"CUDA failed with {getattr(error, 'name', error)}: check the GPU and its driver.")
    return values[0] if values else None
