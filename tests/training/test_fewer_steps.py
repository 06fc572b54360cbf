"""A network in fewer steps gives what it gave."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from perception.bundle import Bundle, default_models_dir
from perception.engines.precision import in_half, with_signed_bytes
from training.core.half_weights import with_half_weights
from training.localization.export import to_onnx
from training.localization.fewer_steps import in_fewer_steps, rewrite
from training.localization.model import DeployedNetwork, HeatmapNetwork
from training.localization.quantize import quantized

WIDTH, HEIGHT, POINTS = 96, 64, 3


def outputs(model, images):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options).run(None, {"image": images})[0]


def kinds(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (20, HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return to_onnx(
        DeployedNetwork(HeatmapNetwork(POINTS, (16, 16, 32, 32), (1, 1, 1, 1), 16, 16)).eval(), WIDTH, HEIGHT, "maps"
    )


@pytest.fixture(scope="module")
def small(network, images):
    return quantized(network, images)


@pytest.mark.parametrize("halved", [False, True])
def test_single_precision_gives_the_same_numbers(network, images, halved):
    model = with_half_weights(network) if halved else network
    few = in_fewer_steps(model)
    np.testing.assert_allclose(outputs(few, images[:3]), outputs(model, images[:3]), atol=1e-4)
    assert not {"DepthToSpace", "Concat", "Div"} & set(kinds(few))
    assert len(kinds(few)) < len(kinds(model)) + 6


def test_absent_points_stay_absent(images):
    """Also where a point is surely there or surely not, whose sums lose no digits."""
    for bias in (-80.0, 0.0, 80.0):
        torch.manual_seed(2)
        module = HeatmapNetwork(POINTS, (16, 16, 32, 32), (1, 1, 1, 1), 16, 16)
        torch.nn.init.constant_(module.absent.bias, bias)
        model = to_onnx(DeployedNetwork(module).eval(), WIDTH, HEIGHT, "maps")
        np.testing.assert_allclose(outputs(in_fewer_steps(model), images[:2]), outputs(model, images[:2]), atol=1e-4)


def test_8_bits_come_closer_to_the_network(network, small, images):
    wanted = outputs(network, images[:5])
    few = in_fewer_steps(small)
    assert "Relu" not in kinds(few)[: kinds(few).index("Add")] and "Cast" not in kinds(few)
    before, after = (np.abs(outputs(model, images[:5]) - wanted).mean() for model in (small, few))
    assert 0 < after < before


def test_doing_it_again_changes_nothing(network, small):
    for model in (network, small):
        few = in_fewer_steps(model)
        assert in_fewer_steps(few) == few


def test_tensorrt_gets_signed_bytes_of_it_too(small, images):
    few = in_fewer_steps(small)
    signed = with_signed_bytes(onnx.load_from_string(few))
    onnx.checker.check_model(signed, full_check=True)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in signed.graph.initializer}
    pairs = [node for node in signed.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs and all(values[node.input[2]].dtype == np.int8 and not values[node.input[2]].any() for node in pairs)
    off = np.abs(outputs(signed.SerializeToString(), images[:5]) - outputs(few, images[:5])).mean()
    assert off < 0.1


def test_half_precision_gives_about_the_same(network, images):
    half = in_half(onnx.load_from_string(in_fewer_steps(network))).SerializeToString()
    assert np.abs(outputs(half, images[:3]) - outputs(network, images[:3])).max() < 0.03


def test_a_bundle_is_rewritten_with_its_checksums(tmp_path):
    shipped = Bundle.load(default_models_dir() / "block")
    files = [shipped.model_path(one).read_bytes() for one in ("fp32", "int8")]
    own = Bundle.write(tmp_path / "block", shipped.manifest, files[0], "# Card\n", int8_bytes=files[1])
    rewrite(own)
    again = Bundle.load(tmp_path / "block")
    assert again.precisions == ("fp32", "int8") and again.manifest.calibration == shipped.manifest.calibration
    size = again.manifest.input
    images = np.random.default_rng(0).integers(0, 256, (2, size.height, size.width, 3), dtype=np.uint8)
    new, old = (outputs(model, images) for model in (again.model_path().read_bytes(), files[0]))
    np.testing.assert_allclose(new, old, atol=1e-4)
