"""Networks whose layers can be looked at: any torch module by the names of its modules, any ONNX file by tensors."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from perception.bundle import Bundle, default_models_dir
from perception.errors import BlockworldError, reason
from training.art.weights import load_weights
from training.core.resnet import DEVIATION, MEAN, WIDTHS, Stages
from training.features.squeezenet import squeezenet

GRID = 6
"""Cells a side that a layer's maps are averaged into where they have more: what is decomposed stays small."""
_STAGES_IN_FILE = "layer4.0.conv1.weight"


class Network(Protocol):
    """Pictures in, features of layers out."""

    name: str
    default_layers: tuple[str, ...]
    """From the first to the last."""

    def layers(self, size_px: int) -> tuple[str, ...]:
        """Names of all that can be asked for, in the order in which they are computed."""
        ...

    def features(self, pictures: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """(B, C, h, w) or (B, D) float32 of each layer, of pictures (B, S, S, 3) uint8 RGB."""
        ...


class TorchNetwork:
    """A module that takes pictures (B, S, S, 3) uint8, or what `prepare` makes of them; its layers are its modules."""

    def __init__(
        self,
        name: str,
        module: nn.Module,
        default_layers: Sequence[str] = (),
        prepare: Callable[[Tensor], Tensor] = lambda images: images,
        least_px: int = 1,
    ) -> None:
        self.name, self.default_layers = name, tuple(default_layers)
        self._module, self._prepare, self._least_px = module.eval(), prepare, least_px

    def layers(self, size_px: int) -> tuple[str, ...]:
        """See `Network`. Raises BlockworldError for pictures that are too small for the network."""
        seen: list[str] = []
        hooks = [
            one.register_forward_hook(lambda _m, _i, out, name=name: seen.append(name) if _numbers(out) else None)
            for name, one in self._module.named_modules()
            if name
        ]
        self._run(np.zeros((1, size_px, size_px, 3), np.uint8), hooks)
        return tuple(dict.fromkeys(seen))

    def features(self, pictures: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Network`."""
        modules, found = dict(self._module.named_modules()), {}

        def keep(name: str) -> Callable[..., None]:
            def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
                found[name] = pooled(output)

            return hook

        self._run(pictures, [modules[name].register_forward_hook(keep(name)) for name in layers])
        return found

    def _run(self, pictures: np.ndarray, hooks: Sequence[torch.utils.hooks.RemovableHandle]) -> None:
        try:
            if pictures.shape[1] < self._least_px:
                raise _too_small(self.name, pictures.shape[1], f"its last cells are {self._least_px} px apart")
            with torch.inference_mode():
                self._module(self._prepare(torch.from_numpy(pictures)))
        except RuntimeError as error:  # of convolutions and pools that have nothing left
            raise _too_small(self.name, pictures.shape[1], reason(error)) from error
        finally:
            for hook in hooks:
                hook.remove()


class OnnxNetwork:
    """An ONNX file of one input, pictures (B, H, W, 3) uint8; its layers are tensors that activations give.

    Pictures are brought to the input's height, and continued by their edges where it is wider than high.
    """

    def __init__(self, name: str, model: bytes) -> None:
        import onnx

        self.name = name
        try:
            self._model = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
        except Exception as error:  # of protobuf's, of many kinds
            raise BlockworldError(f"{name} is not an ONNX file ({reason(error)}): give another.") from error
        given = self._model.graph.input[0]
        self._input = given.name
        shape = [one.dim_value for one in given.type.tensor_type.shape.dim]
        if len(shape) != 4 or shape[3] != 3 or given.type.tensor_type.elem_type != onnx.TensorProto.UINT8:
            raise BlockworldError(f"{name} does not take pictures (B, H, W, 3) of bytes: give a network that does.")
        self._height, self._width = shape[1], shape[2]
        sizes = {
            one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in self._model.graph.value_info
        }
        self._sizes = {
            node.output[0]: sizes[node.output[0]]
            for node in self._model.graph.node
            if node.op_type == "Relu" and node.output[0] in sizes
        }
        names = list(self._sizes)
        # The last before maps become smaller or larger: what a stage makes.
        self.default_layers = tuple(
            one
            for one, after in zip(names, [*names[1:], None], strict=True)
            if after is None or self._sizes[one][2:] != self._sizes[after][2:]
        )
        self._session: tuple[tuple[str, ...], object] = ((), None)

    def layers(self, size_px: int) -> tuple[str, ...]:
        """See `Network`."""
        return tuple(self._sizes)

    def features(self, pictures: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """See `Network`."""
        import cv2

        height = self._height or pictures.shape[1]
        width = self._width or height
        side = min(height, width)
        down, across = height - side, width - side
        fitted = [
            cv2.copyMakeBorder(
                cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA if side < len(one) else cv2.INTER_LINEAR),
                down // 2, down - down // 2, across // 2, across - across // 2, cv2.BORDER_REPLICATE,
            )
            for one in pictures
        ]  # fmt: skip
        found = self._opened(tuple(layers)).run(list(layers), {self._input: np.stack(fitted)})
        return {name: pooled(torch.from_numpy(one)) for name, one in zip(layers, found, strict=True)}

    def _opened(self, layers: tuple[str, ...]):  # type: ignore[no-untyped-def]  # of onnxruntime, which has no types
        if self._session[0] != layers:
            import onnx
            import onnxruntime

            model = onnx.ModelProto()
            model.CopyFrom(self._model)
            there = {one.name for one in model.graph.output}
            model.graph.output.extend(
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                for name in layers
                if name not in there
            )
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            self._session = (layers, session)
        return self._session[1]


def pooled(output: Tensor) -> np.ndarray:
    """What a layer gives, (B, C, H, W) or (B, ...), as float32: maps averaged into `GRID` cells a side, else (B, D)."""
    if output.ndim == 4:
        height, width = (min(GRID, one) for one in output.shape[2:])
        return functional.adaptive_avg_pool2d(output.float(), (height, width)).clone().numpy()
    return output.reshape(len(output), -1).float().clone().numpy()


def checked_layers(network: Network, asked: Sequence[str], size_px: int) -> tuple[str, ...]:
    """The layers asked for, or the network's own choice, in the order in which they are computed. Raises
    BlockworldError for one that there is not."""
    there = network.layers(size_px)
    wanted = asked or network.default_layers or there
    for one in wanted:
        if one not in there:
            raise BlockworldError(f"{network.name} has no layer {one!r}: choose of {', '.join(there)}.")
    return tuple(one for one in there if one in wanted)


def open_network(name: str, weights: Path | None = None) -> Network:
    """A network by name: resnet18 or squeezenet, with ImageNet's weights or those of a file; a bundle of models/ or an
    ONNX file that takes pictures; or module:function, which gives a torch module for ImageNet's normalised pictures.

    Raises BlockworldError for anything else, and where weights are missing.
    """
    if name in NETWORKS:
        if weights is not None and not weights.is_file():
            raise BlockworldError(f"the weights {weights} do not exist: name a .pth, .pt or .npz file.")
        return NETWORKS[name](weights)
    if weights is not None:
        raise BlockworldError(f"{name} brings its weights: give --weights for {' or '.join(NETWORKS)} alone.")
    if name.endswith(".onnx"):
        try:
            return OnnxNetwork(Path(name).stem, Path(name).read_bytes())
        except OSError as error:
            raise BlockworldError(f"{name} cannot be read ({reason(error.strerror)}): name an ONNX file.") from error
    if ":" in name:
        return _imported(name)
    folder = default_models_dir() / name
    if name and folder.is_dir():
        return OnnxNetwork(name, Bundle.load(folder).network())
    raise BlockworldError(
        f"there is no network {name!r}: choose {', '.join(NETWORKS)}, a bundle of the models folder such as coarse, an "
        ".onnx file, or MODULE:FUNCTION that gives a torch module."
    )


def _imported(name: str) -> TorchNetwork:
    where, _, function = name.partition(":")
    try:
        module = getattr(import_module(where), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise BlockworldError(
            f"{name} gives no network ({reason(error)}): name MODULE:FUNCTION that can be imported and called."
        ) from error
    if not isinstance(module, nn.Module):
        raise BlockworldError(f"{name} gives a {type(module).__name__}: name a function that gives a torch module.")
    return TorchNetwork(name, module, prepare=_normalised)


def _normalised(images: Tensor) -> Tensor:
    mean, deviation = (torch.tensor(one).view(1, 3, 1, 1) for one in (MEAN, DEVIATION))
    return (images.permute(0, 3, 1, 2).float() / 255 - mean) / deviation


def _resnet18(weights: Path | None) -> TorchNetwork:
    """As many of its stages as there are weights for."""
    from training.art.weights import read_tensors

    stages = Stages(WIDTHS if weights is None or _STAGES_IN_FILE in read_tensors(weights) else WIDTHS[:3])
    load_weights(stages, weights)
    layers = ["bn1", *(f"stages.{k}" for k in range(len(stages.stages)))]
    return TorchNetwork("resnet18", stages, layers, least_px=2 ** (len(stages.stages) + 1))


def _squeezenet(weights: Path | None) -> TorchNetwork:
    layers = ("conv1", "fire2", "fire4", "fire6", "fire8", "fire9", "conv10")
    return TorchNetwork("squeezenet", squeezenet(weights), layers)


def _numbers(output: object) -> bool:
    return isinstance(output, Tensor) and output.ndim >= 2


def _too_small(name: str, size_px: int, why: str) -> BlockworldError:
    return BlockworldError(f"pictures of {size_px} px are too small for {name} ({why}): make them larger with --size.")


NETWORKS: dict[str, Callable[[Path | None], Network]] = {"resnet18": _resnet18, "squeezenet": _squeezenet}
