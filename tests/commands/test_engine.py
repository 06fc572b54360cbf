"""blockworld engine: every engine with what it says, and no building where TensorRT is not."""

import pytest
from fixtures_bundle import write_marker_bundles

from perception.engine_names import ENGINES


def test_every_engine_is_listed_with_what_it_says(blockworld, tmp_path):
    write_marker_bundles(tmp_path)
    status, out, _ = blockworld("engine", "list", "--models", str(tmp_path))
    told = dict(line.split(": ", 1) for line in out.splitlines() if not line.startswith(" "))
    assert status == 0 and list(told) == list(ENGINES)
    assert told["auto"].startswith("onnxruntime-") and told["onnxruntime-cpu"] == "runs"
    assert "has no network in int8" in told["onnxruntime-cpu-int8"]


def test_a_folder_without_models_is_told(refused, tmp_path):
    assert f"there is no model in {tmp_path}" in refused("engine", "list", "--models", tmp_path)


def test_nothing_is_built_without_tensorrt(refused, tmp_path):
    try:
        import tensorrt as _  # noqa: F401
    except (ImportError, OSError):
        write_marker_bundles(tmp_path)
        words = ["engine", "build", "fine", "--models", tmp_path, "--engines", tmp_path / "engines"]
        assert "install TensorRT and the extra tensorrt" in refused(*words)
        assert not (tmp_path / "engines").exists()
        assert "there is no model abacus" in refused("engine", "build", "abacus", "--models", tmp_path)
    else:
        pytest.skip("TensorRT is installed here")
