"""How fast features of a picture are made, beside PyTorch, and beside the bare matrix products in them."""

import copy
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from _timing import timed
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from perception.errors import EngineError
from training.art.backbone import ResNetBackbone, to_onnx
from training.art.extractor import Extractor, pyramid
from training.art.features import STRIDE
from training.art.network import ENGINES, Network, fastest_engine
from training.art.pictures import Picture

PEER, FOLDED = "PyTorch eager", "PyTorch eager, batch norms folded"
SIDE_PX = 1600
REPEATS = 3
LARGE = 2048


def index_speed(quick: bool) -> list[dict]:
    """From a square picture to its features at 7 scales: rows of PyTorch and of each engine that there is, which take
    turns so that what else the machine does is the same for all. Weights are random: they cost the same."""
    torch.manual_seed(0)
    backbone = ResNetBackbone().eval()
    runs = {FOLDED: eager(folded(backbone))} if quick else {PEER: eager(backbone), FOLDED: eager(folded(backbone))}
    content = to_onnx(backbone)
    runs |= {engine: network.features for engine in ENGINES if (network := opened(content, engine)) is not None}
    picture = made_up(SIDE_PX, SIDE_PX)
    durations = in_turns(runs, picture, 1 if quick else REPEATS)
    sizes = [size for image in pyramid(picture, STRIDE) for size in products_in(backbone, image)]
    count = sum(rows * inner * columns for rows, inner, columns in sizes)
    kinds = (torch.float32, torch.bfloat16)
    bare = {kind: (1000 * bare_products(sizes, kind), 1000 * count / largest_rate(kind)) for kind in kinds}
    rows = []
    for name, spent in durations.items():
        products, floor = bare[torch.bfloat16 if name.endswith("bf16") else torch.float32]
        rows.append({
            "index speed": f"7 scales of a square picture, {name}" + (" (ours)" if name == fastest_engine() else ""),
            "ms": 1000 * spent,
            **{f"{peer} / this": durations[peer] / spent for peer in (PEER, FOLDED) if peer in durations},
            "its products ms": products, "floor ms": floor, "this / floor": 1000 * spent / floor,
        })  # fmt: skip
    return rows


def made_up(width: int, height: int) -> Picture:
    """A picture of smooth noise."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    return Picture((width, height), np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)))


def opened(content: bytes, engine: str) -> Extractor | None:
    """None where it is not available here."""
    try:
        return Extractor(Network(content, engine), "random", STRIDE)  # type: ignore[arg-type]
    except EngineError:
        return None


def eager(backbone: nn.Module) -> Callable[[Picture], object]:
    """The same features by PyTorch as it is."""

    @torch.inference_mode()
    def run(picture: Picture) -> list[Tensor]:
        images = [torch.from_numpy(np.ascontiguousarray(image))[None] for image in pyramid(picture, STRIDE)]
        return [backbone(image).half() for image in images]

    return run


def folded(backbone: nn.Module) -> nn.Module:
    """With each batch norm in the convolution before it."""
    made = copy.deepcopy(backbone)
    for module in list(made.modules()):
        names = dict(module.named_children())
        for conv, norm in (("conv1", "bn1"), ("conv2", "bn2"), ("0", "1")):
            if isinstance(names.get(conv), nn.Conv2d) and isinstance(names.get(norm), nn.BatchNorm2d):
                setattr(module, conv, fuse_conv_bn_eval(names[conv], names[norm]))
                setattr(module, norm, nn.Identity())
    return made


def in_turns(runs: dict[str, Callable[[Picture], object]], picture: Picture, repeats: int) -> dict[str, float]:
    """Median seconds of each, after a small picture to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    small = made_up(1000, 50)
    for run in runs.values():
        run(small)
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run(picture)
            spent[name].append(time.perf_counter() - begin)
    return {name: float(np.median(one)) for name, one in spent.items()}


@torch.inference_mode()
def products_in(backbone: nn.Module, image: np.ndarray) -> list[tuple[int, int, int]]:
    """(N, K) times (K, C) for each convolution, of the windows of its input and its weights, as (N, K, C)."""
    found: list[tuple[int, int, int]] = []

    def convolution(layer: nn.Conv2d, _: tuple[Tensor, ...], made: Tensor) -> None:
        found.append((made[0, 0].numel(), layer.weight[0].numel(), layer.out_channels))

    layers = [layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(convolution) for layer in layers]
    backbone.to("meta")(torch.from_numpy(np.ascontiguousarray(image))[None].to("meta"))
    for hook in hooks:
        hook.remove()
    return found


def largest_rate(kind: torch.dtype) -> float:
    """Multiplications a second in products of 2048 x 2048, by PyTorch or NumPy, whichever is faster."""
    a = torch.rand(LARGE, LARGE).to(kind)
    b = a.float().numpy()
    ways: list[Callable[[], object]] = [lambda: torch.mm(a, a)]
    if kind == torch.float32:
        ways.append(lambda: b @ b)
    return LARGE**3 / min(timed(way) for way in ways)


def bare_products(sizes: list[tuple[int, int, int]], kind: torch.dtype) -> float:
    """Seconds of these matrix products alone."""
    left = torch.ones(max(rows * inner for rows, inner, _ in sizes), dtype=kind)
    right = torch.ones(max(inner * columns for _, inner, columns in sizes), dtype=kind)
    torch.mm(left[: 64 * 64].view(64, 64), right[: 64 * 64].view(64, 64))
    spent = 0.0
    for rows, inner, columns in sizes:
        a, b = left[: rows * inner].view(rows, inner), right[: inner * columns].view(inner, columns)
        begin = time.perf_counter()
        torch.mm(a, b)
        spent += time.perf_counter() - begin
    return spent
