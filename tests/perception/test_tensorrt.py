"""TensorRT without its libraries: calls as the bindings declare them, and engines for one GPU.

The last test is the real thing, where TensorRT and a GPU are.
"""

import numpy as np
import pytest
from declared_tensorrt import DECLARED, DeclaredTensorRt, HostCuda
from fixtures_bundle import manifest, marker_network, write_marker_bundles

from perception.bundle import Bundle
from perception.engines import open_engine, tensorrt
from perception.engines.tensorrt import MOST_IMAGES, TensorRtEngine, build
from perception.errors import EngineError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return Bundle.load(write_marker_bundles(tmp_path_factory.mktemp("models")) / "fine")


@pytest.fixture(params=DECLARED, ids=lambda recorded: recorded["version"])
def machine(request, monkeypatch, tmp_path):
    """A TensorRT of each recorded version, and its GPU."""
    trt, cuda = DeclaredTensorRt(request.param), HostCuda()
    monkeypatch.setattr(tensorrt, "_modules", lambda: (trt, cuda))
    monkeypatch.setenv("BLOCKWORLD_ENGINES", str(tmp_path / "engines"))
    return trt, cuda


def pictures(bundle, count):
    size = bundle.manifest.input
    return np.random.default_rng(0).integers(0, 256, (count, size.height, size.width, 3), dtype=np.uint8)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_what_was_built_gives_what_the_network_gives(bundle, machine, precision):
    trt, cuda = machine
    build(bundle, precision)
    images = pictures(bundle, MOST_IMAGES + 2)  # in two batches
    engine = TensorRtEngine(bundle, precision)
    assert engine.name == f"tensorrt-{precision}"
    wanted = open_engine(bundle, "onnxruntime-cpu").run(images)
    np.testing.assert_allclose(np.exp(engine.run(images)), np.exp(wanted), atol=1e-6 if precision == "fp32" else 0.02)
    assert [values[1][0] for name, values in trt.calls if name == "IExecutionContext.set_input_shape"] == [12, 2]
    (profile,) = [values for name, values in trt.calls if name == "IOptimizationProfile.set_shape"]
    assert profile[0] == "image" and [shape[0] for shape in profile[1:]] == [1, 6, 12]
    with pytest.raises(ValueError, match=r"must be \(B, "):
        engine.run(np.zeros((1, 9, 9, 3), np.uint8))
    del engine
    assert not cuda.kept


def test_engines_are_built_before_they_are_opened(bundle, machine, monkeypatch):
    _, cuda = machine
    with pytest.raises(EngineError, match=r"no engine of fine in fp16 for NVIDIA Abacus\. Build it with `blockworld"):
        TensorRtEngine(bundle)
    assert open_engine(bundle).name == "onnxruntime-cpu"
    path = build(bundle)
    assert open_engine(bundle).name == "tensorrt-fp16"
    cuda.capability = (8, 6)
    with pytest.raises(EngineError, match="Build it with"):
        TensorRtEngine(bundle)
    cuda.capability = (9, 0)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EngineError, match=r"is cut off or damaged\. Build it with"):
        open_engine(bundle, "tensorrt-fp16")
    build(bundle)
    assert open_engine(bundle, "tensorrt-fp16").name == "tensorrt-fp16"


def test_an_engine_belongs_to_the_file_that_it_was_built_from(bundle, machine, tmp_path):
    own, network = bundle.manifest, bundle.model_path().read_bytes()
    small, other = (
        Bundle.write(tmp_path / name, own, network, "# Card\n", int8_bytes=network + extra)
        for name, extra in (("small", b""), ("other", b"\n"))
    )
    keys = {precision: [tensorrt.key_of(one, precision) for one in (small, other)] for precision in ("fp16", "int8")}
    assert keys["fp16"][0] == keys["fp16"][1] and keys["int8"][0] != keys["int8"][1]


def test_measured_kernels_are_kept_for_the_next_building(bundle, machine):
    trt, _ = machine
    build(bundle)
    build(bundle)
    given = [values for name, values in trt.calls if name == "IBuilderConfig.create_timing_cache"]
    assert given == [(b"",), (b"timings",)]


def test_what_tensorrt_cannot_do_is_told(bundle, machine):
    trt, _ = machine
    trt.reads = False
    with pytest.raises(EngineError, match=r"cannot read the network of fine \(no kernel for Abacus\)"):
        build(bundle)
    trt.reads, trt.builds = True, False
    with pytest.raises(EngineError, match="cannot build the network of fine in fp16"):
        build(bundle)
    with pytest.raises(EngineError, match="has no network in int8"):
        build(bundle, "int8")


def test_without_its_libraries_tensorrt_is_not_available(bundle):
    try:
        import tensorrt as _  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(EngineError, match="engine 'tensorrt' is not available in this installation"):
            build(bundle)
    else:
        pytest.skip("TensorRT is installed here")


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_real_tensorrt_gives_what_the_network_gives(tmp_path, precision):
    try:
        tensorrt._modules()
        tensorrt.key_of(Bundle.write(tmp_path / "fine", manifest("fine"), b"", ""), "fp16")
    except EngineError as error:
        pytest.skip(f"not run: {error}")
    bundle = Bundle.write(tmp_path / "fine", manifest("fine"), marker_network("fine"), "# Card\n")
    build(bundle, precision, tmp_path)
    images = pictures(bundle, 5)
    wanted = open_engine(bundle, "onnxruntime-cpu").run(images)
    given = TensorRtEngine(bundle, precision, tmp_path).run(images)
    np.testing.assert_allclose(np.exp(given), np.exp(wanted), atol=0.02)
