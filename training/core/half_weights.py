"""Weights of an ONNX file in half precision, which halves the file; the network computes in single precision still."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEWEST = 1024
"""Numbers of a tensor that is worth it."""
HALF = "_half"
"""What the names of such tensors end with."""


def with_half_weights(model: bytes) -> bytes:
    """The same network with its large float32 tensors stored as float16, each cast back where it is used.

    Engines fold the casts when they load it. Weights are rounded by at most 2^-11 of their size; a network with weights
    beyond float16 is given back as it is.
    """
    proto = onnx.load_from_string(model)
    graph, casts = proto.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < FEWEST:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        if not np.isfinite(half).all():
            return model
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}{HALF}"))
        casts.append(helper.make_node("Cast", [f"{name}{HALF}"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString()
