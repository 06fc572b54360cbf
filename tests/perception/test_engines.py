"""What runs a bundle's network: chosen for the machine, or as asked, or refused."""

import numpy as np
import pytest
from fixtures_bundle import CHANNELS, manifest, marker_network, write_marker_bundles

from perception import engines
from perception.bundle import Bundle
from perception.engines import engines_for, open_engine
from perception.engines.machine import multiplies_bytes
from perception.errors import EngineError


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
    assert [name for name, why in said.items() if not why] == ["onnxruntime", "onnxruntime-cpu", "onnxruntime-cpu-int8"]
    assert "its ONNX Runtime has" in said["onnxruntime-openvino"] and "extra tensorrt" in said["tensorrt-fp16"]
    assert "has no network in int8" in engines_for(Bundle.load(sound / "tool"))["onnxruntime-cpu-int8"]
    with pytest.raises(EngineError, match="tool has no network in int8"):
        open_engine(Bundle.load(sound / "tool"), "onnxruntime-cpu-int8")


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
