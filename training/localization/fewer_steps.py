"""The same network in fewer steps: what an exported file computes beside its convolutions, rewritten for processors.

    python -m training.localization.fewer_steps models/coarse models/tool models/fine models/block

rewrites bundles that were exported before. What does not look as `training.localization.export` writes it stays as it
is.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from perception.bundle import CARD_FILE, ROBOT_FILE, Bundle

MIDDLE = 127.5
"""Of a byte: the networks see (byte - MIDDLE) / MIDDLE."""


def in_fewer_steps(model: bytes) -> bytes:
    """The network with the same input and output, up to rounding; in 8 bits without roundings that it had twice.

    Half the time beside convolutions goes into these: normalising an image in two steps, doubling maps by a size in
    place of a factor, which keeps the runtime from its own layout, and splitting cells before the softmax in place of
    after it. In 8 bits the image's bytes are what the first convolution wants, and a ReLU is the lower end of a range.
    """
    graph = _Graph(onnx.load_from_string(model))
    for step in (_image_as_it_is, _centre, _double, _split_last, _end_at_zero):
        step(graph)
    return graph.finished()


class _Graph:
    """An ONNX graph to edit: who makes and who takes a value, and constants by name."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self.nodes = list(model.graph.node)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}

    def maker(self, value: str) -> NodeProto | None:
        return next((node for node in self.nodes if value in node.output), None)

    def takers(self, value: str) -> list[NodeProto]:
        return [node for node in self.nodes if value in node.input]

    def line(self, last: NodeProto | None, *kinds: str) -> list[NodeProto] | None:
        """The nodes that lead to a node, each by its first input, the first one first; None unless they are of these
        kinds, and nothing else takes what is between."""
        found: list[NodeProto] = []
        for kind in reversed(kinds):
            if last is None or last.op_type != kind or (found and len(self.takers(last.output[0])) > 1):
                return None
            found.insert(0, last)
            last = self.maker(last.input[0])
        return found

    def number(self, name: str) -> Any:
        """A constant as an array; None for what is none."""
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None

    def constant(self, name: str, value: Any) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def shape(self, value: str) -> list[int]:
        """Of a value, 0 for an axis of any length; [] where the file does not say."""
        infos = [*self._model.graph.value_info, *self._model.graph.input, *self._model.graph.output]
        info = next((one for one in infos if one.name == value), None)
        return [] if info is None else [axis.dim_value for axis in info.type.tensor_type.shape.dim]

    def replace(self, old: Iterable[NodeProto], new: Iterable[NodeProto]) -> None:
        """Puts nodes where the last of the old ones was."""
        gone = list(old)
        at = max(self.nodes.index(node) for node in gone) + 1
        self.nodes[at:at] = new
        self.nodes = [node for node in self.nodes if not any(node is other for other in gone)]

    def finished(self) -> bytes:
        """The file, without constants and shapes of what is no longer there."""
        graph = self._model.graph
        made = {name for node in self.nodes for name in node.output}
        used = {name for node in self.nodes for name in node.input}
        shapes = [info for info in graph.value_info if info.name in made]
        for field, kept in (
            (graph.node, self.nodes),
            (graph.initializer, [tensor for name, tensor in self._constants.items() if name in used]),
            (graph.value_info, shapes),
        ):
            copies = [type(one).FromString(one.SerializeToString()) for one in kept]
            del field[:]
            field.extend(copies)
        onnx.checker.check_model(self._model, full_check=True)
        return self._model.SerializeToString()


def _normalised(graph: _Graph) -> list[NodeProto] | None:
    """Cast, Div and Sub that normalise the image."""
    for node in graph.nodes:
        line = graph.line(node, "Cast", "Div", "Sub")
        if line and graph.number(line[1].input[1]) == MIDDLE and graph.number(line[2].input[1]) == 1:
            return line
    return None


def _image_as_it_is(graph: _Graph) -> None:
    """The first convolution in 8 bits takes the image's bytes: zero is 127 there, and the half that is missing goes
    into the bias. Around the image it stays, half a grey level."""
    line = _normalised(graph)
    takers = graph.takers(line[-1].output[0]) if line else []
    if not line or [node.op_type for node in takers] != ["QuantizeLinear"]:
        return
    [quantize] = takers
    [dequantize] = graph.takers(quantize.output[0])
    [first] = graph.takers(dequantize.output[0])
    makers = [graph.maker(value) for value in first.input[1:]]
    weights, *biases = [node for node in makers if node is not None]
    scale, zero = 1 / MIDDLE, int(MIDDLE)
    numbers, scales = graph.number(weights.input[0]), graph.number(weights.input[1]).astype(float)
    own = (zero - MIDDLE) * scale * scales * numbers.reshape(len(numbers), -1).sum(1, dtype=float)
    for bias in biases:
        own += graph.number(bias.input[0]) * graph.number(bias.input[1]).astype(float)
    steps = (scales * scale).astype(np.float32)
    image = {"image_scale": np.float32(scale), "image_zero": np.uint8(zero)}
    added = {"bias": np.round(own / steps).astype(np.int32), "bias_scale": steps, "bias_zero": np.zeros_like(own, "i4")}
    taken = [line[0].input[0], *(graph.constant(name, value) for name, value in image.items())]
    constants = [graph.constant(f"image_{name}", value) for name, value in added.items()]
    new = [
        helper.make_node("DequantizeLinear", taken, dequantize.output[:1], name="image_bytes"),
        helper.make_node("DequantizeLinear", constants, ["bias_with_image"], name="image_bias_dequantize", axis=0),
    ]
    first.input[2:] = ["bias_with_image"]
    graph.replace([*biases, *line, quantize, dequantize], new)


def _centre(graph: _Graph) -> None:
    """Half of the normalisation goes into the first convolution's weights; zero stays where it was, for what is around
    the image."""
    line = _normalised(graph)
    takers = graph.takers(line[-1].output[0]) if line else []
    if not line or [node.op_type for node in takers] != ["Conv"] or graph.number(takers[0].input[1]) is None:
        return
    cast, *old = line
    weights = takers[0].input[1]
    graph.constant(weights, (graph.number(weights) / MIDDLE).astype(np.float32))
    middle = graph.constant("middle", np.float32(MIDDLE))
    graph.replace(old, [helper.make_node("Sub", [cast.output[0], middle], old[-1].output, name="centre")])


def _double(graph: _Graph) -> None:
    """Maps are doubled by a factor in place of a size."""
    for node in [node for node in graph.nodes if node.op_type == "Resize" and len(node.input) == 4]:
        size = graph.line(graph.maker(node.input[3]), "Shape", "Concat")
        given = graph.shape(node.input[0].removesuffix("_DequantizeLinear_Output"))
        wanted = graph.number(size[1].input[1]) if size else None
        if size and wanted is not None and [2 * side for side in given[2:]] == wanted.tolist():
            node.input[2:] = [graph.constant("twice", np.array([1, 1, 2, 2], np.float32))]
            graph.replace(size, [])


def _split_last(graph: _Graph) -> None:
    """The softmax comes first, then cells are split in four; what says that a point is absent is taken off after both.

    With a the logit of absence and s the logarithm of the sum of all others' exponentials, that of the whole sum is
    s + softplus(a - s); s is what the softmax took from any logit, such as the first.
    """
    kinds = ("DepthToSpace", "Reshape", "Concat", "LogSoftmax", "Slice", "Reshape")
    line = next(filter(None, (graph.line(node, *kinds) for node in graph.nodes)), None)
    if not line:
        return
    split, _, with_absent, *_, last = line
    points, height, width = (int(side) for side in graph.number(last.input[1])[1:])
    rows, columns = height // 2, width // 2
    numbers = {"first": [0], "second": [1], "along": [2], "across": [3]}
    shapes = {"maps": [-1, points, height * width], "pairs": [-1, 2, rows * columns], "lines": [-1, 2, rows, width]}
    c = {name: graph.constant(f"split_{name}", np.array(v, np.int64)) for name, v in (numbers | shapes).items()}

    def step(kind: str, inputs: list[str], output: str, **more: Any) -> NodeProto:
        return helper.make_node(kind, inputs, [output], name=f"node_{output}", **more)

    new = [
        step("Reshape", [split.input[0], c["maps"]], "logits"),
        step("LogSoftmax", ["logits"], "log_shares", axis=2),
        step("Slice", ["logits", c["first"], c["second"], c["along"]], "a_logit"),
        step("Slice", ["log_shares", c["first"], c["second"], c["along"]], "a_log_share"),
        step("Sub", ["a_logit", "a_log_share"], "log_sum"),
        step("Sub", [with_absent.input[1], "log_sum"], "log_absent"),
        step("Softplus", ["log_absent"], "excess"),
        step("Unsqueeze", ["excess", c["across"]], "excess_of_maps"),
        # Two steps that each move one axis are several times as quick as DepthToSpace.
        step("Reshape", ["log_shares", c["pairs"]], "pairs"),
        step("Transpose", ["pairs"], "columns_split", perm=[0, 2, 1]),
        step("Reshape", ["columns_split", c["lines"]], "lines"),
        step("Transpose", ["lines"], "rows_split", perm=[0, 2, 1, 3]),
        step("Reshape", ["rows_split", last.input[1]], "log_shares_of_maps"),
        step("Sub", ["log_shares_of_maps", "excess_of_maps"], last.output[0]),
    ]
    graph.replace(line, new)


def _end_at_zero(graph: _Graph) -> None:
    """A convolution's result in 8 bits is rounded once, from 0 on, in place of before and after the ReLU."""
    for relu in [node for node in graph.nodes if node.op_type == "Relu"]:
        line = graph.line(relu, "Conv", "QuantizeLinear", "DequantizeLinear", "Relu")
        if not line:
            continue
        conv, quantize, *_ = line
        takers, name = graph.takers(relu.output[0]), relu.output[0]
        new = []
        if [node.op_type for node in takers] == ["QuantizeLinear"] and graph.number(takers[0].input[2]) == 0:
            takers[0].input[0] = conv.output[0]
        else:
            step, zero = graph.number(quantize.input[1]), int(graph.number(quantize.input[2]))
            own = [
                graph.constant(f"{name}_scale", np.float32(step * (255 - zero) / 255)),
                graph.constant(f"{name}_zero_point", np.uint8(0)),
            ]
            new = [
                helper.make_node("QuantizeLinear", [conv.output[0], *own], [f"{name}_bytes"], name=f"{name}_quantize"),
                helper.make_node("DequantizeLinear", [f"{name}_bytes", *own], [name], name=f"{name}_dequantize"),
            ]
        graph.replace(line[1:], new)


def rewrite(bundle: Bundle) -> Bundle:
    """Writes the bundle anew, its networks in fewer steps."""
    networks = {one: in_fewer_steps(bundle.network(one)) for one in bundle.precisions}
    chain = bundle.path / ROBOT_FILE
    return Bundle.write(
        bundle.path,
        bundle.manifest,
        networks["fp32"],
        (bundle.path / CARD_FILE).read_text(encoding="utf-8"),
        chain.read_text(encoding="utf-8") if ROBOT_FILE in bundle.manifest.sha256 else None,
        networks.get("int8"),
    )


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(f"wrote {rewrite(Bundle.load(Path(folder))).path}")
