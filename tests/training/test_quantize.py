"""The network in 8 bits, for processors and for TensorRT, gives about what it gives."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from perception.engines.onnx_session import open_session
from perception.engines.precision import in_half, with_signed_bytes
from training.localization.export import to_onnx
from training.localization.quantize import quantized


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 16, 3, padding=1)
        self.last = nn.Conv2d(16, 4, 1)

    def forward(self, image):
        first = torch.relu(self.first(image.permute(0, 3, 1, 2).float() / 127.5 - 1))
        return self.last(torch.relu(first + self.second(first)))


@pytest.fixture(scope="module")
def networks():
    """What the network gives of some images: as it is, in 8 bits, in 8 signed bits, in half precision."""
    images = np.random.default_rng(0).integers(0, 256, (21, 24, 24, 3), dtype=np.uint8)
    model = to_onnx(Small(), 24, 24, "maps")
    small = quantized(model, images)
    signed = with_signed_bytes(onnx.load_from_string(small))
    half = in_half(onnx.load_from_string(model))
    files = {"own": model, "int8": small, "signed": signed.SerializeToString(), "half": half.SerializeToString()}
    outputs = {
        name: open_session(file, "CPUExecutionProvider", 1).run(None, {"image": images[:5]})[0]
        for name, file in files.items()
    }
    return files, outputs


@pytest.mark.parametrize(("name", "most"), [("int8", 0.04), ("signed", 0.04), ("half", 0.003)])
def test_fewer_bits_give_about_the_same(networks, name, most):
    _, outputs = networks
    scale = outputs["own"].std()
    off = np.abs(outputs[name] - outputs["own"]).mean() / scale
    assert 0 < off < most


def test_the_layer_of_the_logits_stays_as_it_is(networks):
    files, _ = networks
    graph = onnx.load_from_string(files["int8"]).graph
    last = [node for node in graph.node if node.op_type == "Conv"][-1]
    kept = next(tensor for tensor in graph.initializer if tensor.name == last.input[1])
    assert kept.data_type == onnx.TensorProto.FLOAT


def test_tensorrt_gets_signed_bytes_around_0_and_biases_in_floats(networks):
    files, _ = networks
    graph = onnx.load_from_string(files["signed"]).graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    zeros = [values[node.input[2]] for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert zeros and all(zero.dtype == np.int8 and not zero.any() for zero in zeros)
    assert not any(value.dtype == np.int32 for value in values.values())
    onnx.checker.check_model(onnx.load_from_string(files["signed"]), full_check=True)
