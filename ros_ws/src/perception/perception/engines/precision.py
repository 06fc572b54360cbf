"""A bundle's network as TensorRT wants it in each precision: it takes the types of an ONNX file as they are.

fp16: everything but what goes in and comes out is float16. int8: the network that ONNX Runtime runs on processors,
whose activations are bytes without sign around a zero of their own; TensorRT knows only signed bytes around 0 (explicit
quantization), so ranges become symmetric, and biases, which were integers of the old scales, floats.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from perception.bundle import Bundle
from perception.engines.onnx_file import check_onnx
from perception.errors import EngineError

if TYPE_CHECKING:
    from onnx import ModelProto

TensorRtPrecision = Literal["fp32", "fp16", "int8"]
TENSORRT_PRECISIONS: tuple[TensorRtPrecision, ...] = ("fp32", "fp16", "int8")
_MOST_BYTE, _MOST_SIGNED = 255, 127


def model_of(bundle: Bundle, precision: TensorRtPrecision) -> Path:
    """The bundle's ONNX file that the network in this precision comes from; raises EngineError where it has no 8-bit
    one."""
    if precision == "int8" and "int8" not in bundle.precisions:
        raise EngineError(f"{bundle.path} has no network in int8: export it again, or choose another precision.")
    return bundle.model_path("int8" if precision == "int8" else "fp32")


def network_in(bundle: Bundle, precision: TensorRtPrecision) -> bytes:
    """The network for TensorRT, serialized; raises EngineError as `model_of` does, for an ONNX file that refers to
    others, and where the package onnx, which changes the file, is not installed."""
    path, content = model_of(bundle, precision), bundle.network("int8" if precision == "int8" else "fp32")
    try:
        check_onnx(content)
    except ValueError as error:
        raise EngineError(f"{path} cannot be used ({error}): export the bundle again.") from None
    if precision == "fp32":
        return content
    try:
        import onnx
    except ImportError:
        raise EngineError(
            f"an engine in {precision} needs the package onnx: install the extra tensorrt, or choose fp32."
        ) from None
    change = in_half if precision == "fp16" else with_signed_bytes
    return bytes(change(onnx.load_from_string(content)).SerializeToString())


def in_half(model: "ModelProto") -> "ModelProto":
    """The network in float16, with the same input and output."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)


def with_signed_bytes(model: "ModelProto") -> "ModelProto":
    """The network with activations quantized to signed bytes around 0, over the larger half of each range, and biases
    in float32."""
    from onnx import numpy_helper

    graph = model.graph
    values = {tensor.name: tensor for tensor in graph.initializer}

    def read(name: str) -> Any:
        return numpy_helper.to_array(values[name])

    def write(name: str, value: Any) -> None:
        values[name].CopyFrom(numpy_helper.from_array(value, name))

    biases = [node for node in graph.node if node.op_type == "DequantizeLinear" and _is_bias(node, values)]
    for node in biases:
        write(node.input[0], (read(node.input[0]) * read(node.input[1])).astype(np.float32))
        for other in graph.node:
            other.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
    kept = [node for node in graph.node if node not in biases]
    del graph.node[:]
    graph.node.extend(kept)
    _quantize_image(model)
    pairs = {(node.input[1], node.input[2]) for node in graph.node if node.op_type == "QuantizeLinear"}
    ranges = [(scale, zero, float(read(scale)), int(read(zero))) for scale, zero in pairs]
    for scale, zero, step, middle in ranges:
        write(scale, np.array(max(middle, _MOST_BYTE - middle) * step / _MOST_SIGNED, np.float32))
        write(zero, np.array(0, np.int8))
    used = {name for node in graph.node for name in node.input}
    for tensor in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(tensor)
    return model


def _quantize_image(model: "ModelProto") -> None:
    """Where the first layer takes the image's bytes, which have no sign, they become floats, and those are
    quantized."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    places = {node.input[0] for node in graph.node if node.op_type == "Transpose"} & {one.name for one in graph.input}
    moved = [node.output[0] for node in graph.node if node.input[0] in places]
    values = {tensor.name: tensor for tensor in graph.initializer}
    for index, node in enumerate(graph.node):
        if node.op_type == "DequantizeLinear" and node.input[0] in moved:
            image, scale, zero = node.input
            middle = numpy_helper.to_array(values[zero]).astype(np.float32)
            step = numpy_helper.to_array(values[scale])
            graph.initializer.extend(
                [numpy_helper.from_array(middle, "image_middle"), numpy_helper.from_array(step, "image_step")]
            )
            new = [
                helper.make_node("Cast", [image], ["image_numbers"], to=TensorProto.FLOAT),
                helper.make_node("Sub", ["image_numbers", "image_middle"], ["image_centred"]),
                helper.make_node("Mul", ["image_centred", "image_step"], ["image_normalised"]),
                helper.make_node("QuantizeLinear", ["image_normalised", scale, zero], ["image_quantized"]),
                helper.make_node("DequantizeLinear", ["image_quantized", scale, zero], list(node.output)),
            ]
            nodes = [*graph.node[:index], *new, *graph.node[index + 1 :]]
            del graph.node[:]
            graph.node.extend(nodes)
            return


def _is_bias(node: Any, values: dict[str, Any]) -> bool:
    from onnx import TensorProto

    stored = values.get(node.input[0])
    return stored is not None and stored.data_type == TensorProto.INT32
