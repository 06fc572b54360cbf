"""What runs a bundle's network: chosen for the machine, or as asked, or refused."""

import sys
import time

import numpy as np
import pytest
from fixtures_bundle import CHANNELS, manifest, marker_network, write_marker_bundles

from perception import engines
from perception.bundle import Bundle, default_models_dir
from perception.engines import engines_for, open_engine
from perception.engines.machine import multiplies_bytes
from perception.engines.onnx_runtime import OnnxRuntimeEngine
from perception.errors import EngineError

ROUNDING = 3e-6  # of log-probabilities of about -10


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_marker_bundles(tmp_path_factory.mktemp("models"))


@pytest.fixture
def both(tmp_path):
    network = marker_network("tool")
    return Bundle.write(tmp_path / "tool", manifest("tool"), network, "# Card\n", int8_bytes=network)


@pytest.mark.parametrize("stage", sorted(CHANNELS))
def test_every_bundle_runs_and_gives_log_probabilities(sound, stage):
    bundle = Bundle.load(sound / stage)
    engine = open_engine(bundle)
    assert engine.name == "onnxruntime-cpu"
    size = bundle.manifest.input
    images = np.random.default_rng(0).integers(0, 256, (2, size.height, size.width, 3), dtype=np.uint8)
    heatmaps = engine.run(images)
    output = bundle.manifest.output
    assert heatmaps.shape == (2, len(output.channels), output.height, output.width)
    sums = np.exp(heatmaps).sum(axis=(2, 3))
    assert np.all((sums > 0) & (sums < 1 + 1e-4))


def test_engines_refuse_what_they_cannot_run(sound, tmp_path):
    with pytest.raises(EngineError, match="engine 'tensorrt' is not available"):
        open_engine(Bundle.load(sound / "tool"), "tensorrt-fp16")
    with pytest.raises(EngineError, match="no engine 'abacus': choose one of auto, onnxruntime, "):
        open_engine(Bundle.load(sound / "tool"), "abacus")
    with pytest.raises(EngineError, match="cannot open"):
        open_engine(Bundle.write(tmp_path / "coarse", manifest("coarse"), b"network", "# Card\n"))
    with pytest.raises(ValueError, match=r"must be \(B, 480, 640, 3\) uint8"):
        open_engine(Bundle.load(sound / "tool")).run(np.zeros((1, 96, 96, 3), np.uint8))


def test_a_network_that_contradicts_its_manifest_is_refused(tmp_path):
    swapped = Bundle.write(tmp_path / "tool", manifest("tool"), marker_network("coarse"), "# Card\n")
    with pytest.raises(EngineError, match="its manifest says"):
        open_engine(swapped).run(np.zeros((1, 480, 640, 3), np.uint8))


@pytest.mark.parametrize(("fast", "name"), [(True, "onnxruntime-cpu-int8"), (False, "onnxruntime-cpu")])
def test_auto_takes_8_bits_where_the_processor_multiplies_them(both, sound, monkeypatch, fast, name):
    monkeypatch.setattr(engines, "multiplies_bytes", lambda: fast)
    assert open_engine(both).name == name
    assert open_engine(Bundle.load(sound / "tool")).name == "onnxruntime-cpu"


def test_an_engine_is_as_asked_for_or_refused(both, sound):
    assert open_engine(both, "onnxruntime").name == "onnxruntime-cpu"
    assert open_engine(both, "onnxruntime-cpu-int8").name == "onnxruntime-cpu-int8"
    said = engines_for(both)
    runs = [name for name, why in said.items() if not why and not name.startswith("openvino-")]
    assert runs == ["onnxruntime", "onnxruntime-cpu", "onnxruntime-cpu-int8"]
    assert "its ONNX Runtime has" in said["onnxruntime-openvino"] and "extra tensorrt" in said["tensorrt-fp16"]
    assert "has no network in int8" in engines_for(Bundle.load(sound / "tool"))["onnxruntime-cpu-int8"]
    with pytest.raises(EngineError, match="tool has no network in int8"):
        open_engine(Bundle.load(sound / "tool"), "onnxruntime-cpu-int8")


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_batch_gives_the_same_bits_each_time_and_an_image_the_same_in_any_batch(monkeypatch, threads, precision):
    """Whether threads share a batch or compute it together; but for the rounding of a last place."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(threads)))
    bundle = Bundle.load(default_models_dir() / "block")
    engine, size = OnnxRuntimeEngine(bundle, precision), bundle.manifest.input
    images = np.random.default_rng(0).integers(0, 256, (6, size.height, size.width, 3), dtype=np.uint8)
    alone = np.concatenate([engine.run(image[None]) for image in images])
    for count in (2, 3, 6):
        found = engine.run(images[:count])
        assert np.array_equal(found, engine.run(images[:count]))
        np.testing.assert_allclose(found, alone[:count], rtol=0.0, atol=ROUNDING)
    assert engine.run(images[::2]).flags.c_contiguous
    np.testing.assert_allclose(engine.run(images[::2]), alone[::2], rtol=0.0, atol=ROUNDING)
    kept = engine.run(images[:2])
    before = kept.copy()
    engine.run(images[2:4])
    assert np.array_equal(kept, before)  # nobody else writes there


def test_threads_sleep_between_runs(sound):
    engine = open_engine(Bundle.load(sound / "tool"), "onnxruntime-cpu")
    images = np.zeros((3, 480, 640, 3), np.uint8)
    engine.run(images)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


def test_openvino_says_what_it_needs(both, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    for name in ("openvino-fp32", "openvino-bf16", "openvino-int8"):
        with pytest.raises(EngineError, match=f"'{name}' is not available .*: install the extra openvino"):
            open_engine(both, name)


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-4), ("bf16", 0.2), ("int8", 1.0)])
def test_openvino_gives_about_the_same(precision, most):
    core = pytest.importorskip("openvino").Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("no bfloat16 here")
    bundle = Bundle.load(default_models_dir() / "block")
    size = bundle.manifest.input
    images = np.random.default_rng(0).integers(0, 256, (3, size.height, size.width, 3), dtype=np.uint8)
    engine = open_engine(bundle, f"openvino-{precision}")
    assert engine.name == f"openvino-{precision}"
    found = engine.run(images)
    assert np.abs(found - open_engine(bundle, "onnxruntime-cpu").run(images)).max() < most
    assert np.array_equal(found[:1], engine.run(images[:1])) and np.array_equal(found, engine.run(images))
    with pytest.raises(ValueError, match="must be"):
        engine.run(np.zeros((1, 8, 8, 3), np.uint8))


def test_openvino_refuses_what_it_cannot_run(sound, tmp_path):
    pytest.importorskip("openvino")
    with pytest.raises(EngineError, match="has no network in int8"):
        open_engine(Bundle.load(sound / "tool"), "openvino-int8")
    with pytest.raises(EngineError, match="OpenVINO cannot open"):
        open_engine(Bundle.write(tmp_path / "coarse", manifest("coarse"), b"network", "# Card\n"), "openvino-fp32")
    swapped = Bundle.write(tmp_path / "tool", manifest("tool"), marker_network("coarse"), "# Card\n")
    with pytest.raises(EngineError, match="its manifest says"):
        open_engine(swapped, "openvino-fp32")


@pytest.mark.parametrize(
    ("text", "fast"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n", True),
        ("flags\t\t: fpu avx2 avx_vnni\n", True),
        ("Features\t: fp asimd asimddp\n", True),
        ("flags\t\t: fpu avx2 avx512f\nbugs\t\t: avx_vnni\n", False),
        ("", False),
    ],
)
def test_what_a_processor_can_do_is_read_from_its_flags(tmp_path, text, fast):
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    assert multiplies_bytes(file) is fast
    assert multiplies_bytes(tmp_path / "none") is False
