"""How fast meshes of atlases are made, beside the matrix products in them, and how fast Chamfer distances are."""

import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path

import numpy as np
import torch
from _atlas_networks import Compared
from _timing import timed
from torch import Tensor, nn

from perception.engines.onnx_session import open_session
from perception.shapes.atlas.bundle import AtlasBundle
from perception.shapes.atlas.charts import square_grid
from perception.shapes.atlas.network import AtlasNetwork
from perception.shapes.atlas.reconstruction import reconstruct
from training.shapes.atlas.export import decoder_to_onnx
from training.shapes.atlas.metrics import POINTS
from training.shapes.atlas.model import AtlasModel
from training.shapes.losses import chamfer
from training.shapes.nearest import FEW

MESH_POINTS = 22_500
BATCH = 32
"""Pairs whose Chamfer distances are computed at once."""


def mesh_speed(one: Compared) -> dict:
    """From a cloud or a picture to a mesh of 25 x 900 points, as users have it; beside the matrix products in it, by
    PyTorch; and its decoder beside one that takes chart after chart, both by ONNX Runtime."""
    network, config = AtlasNetwork(AtlasBundle.load(one.folder)), one.config()
    size, rng = network.manifest.size, np.random.default_rng(0)
    cloud = network.manifest.input == "cloud"
    seen = rng.normal(size=(1, size, 3)) if cloud else rng.integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    encode = network.encode_clouds if cloud else network.encode_pictures
    latent, grid = encode(seen), square_grid(MESH_POINTS // config.charts)
    factors = factors_of(AtlasModel(config).eval(), torch.from_numpy(seen), torch.from_numpy(grid.points).float())

    def products() -> None:
        for a, b in factors:
            torch.bmm(a, b)

    single = config.model_copy(update={"charts": 1})
    content = decoder_to_onnx(AtlasModel(single).eval(), single)
    session = open_session(content, "CPUExecutionProvider", len(sched_getaffinity(0)))
    given = {"latent": latent, "charts": grid.points[None].astype(np.float32)}

    def loop() -> None:
        for _ in range(config.charts):
            session.run(["points"], given)

    return {
        "network": f"{one.label}: mesh of {MESH_POINTS} points",
        "ms": 1000 * timed(lambda: reconstruct(network, encode(seen)[0], MESH_POINTS)),
        "bare products ms": 1000 * timed(products),
        "decoder ms": 1000 * timed(lambda: network.decode(latent, grid)),
        "chart after chart ms": 1000 * timed(loop),
    }


@torch.no_grad()
def factors_of(model: AtlasModel, seen: Tensor, grid: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The two factors of each matrix product, (K, N, C) and (K, C, C'), of a shape's way through a network of charts;
    convolutions as products of their windows."""
    found: list[tuple[Tensor, Tensor]] = []

    def linear(layer: nn.Linear, _: tuple[Tensor, ...], made: Tensor) -> None:
        rows = made.numel() // layer.out_features
        found.append((torch.randn(1, rows, layer.in_features), layer.weight.T[None]))

    def convolution(layer: nn.Conv2d, _: tuple[Tensor, ...], made: Tensor) -> None:
        window = layer.weight[0].numel()
        found.append((torch.randn(1, made[0, 0].numel(), window), torch.randn(1, window, layer.out_channels)))

    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(linear)
        elif isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(convolution)
    decoder = model.decoder.points
    model(seen if seen.dtype == torch.uint8 else seen.float(), grid.expand(decoder.charts, -1, -1))
    for weight in (decoder.place, *decoder.layers.weights):
        found.append((torch.randn(decoder.charts, len(grid), weight.shape[1]), weight.detach()))
    return found


def chamfer_speed() -> dict:
    """Exact Chamfer distance with gradient of 32 pairs of 2,500 points, beside torch.cdist: time and memory."""
    return {
        "network": f"Chamfer distance with gradient, {BATCH} x {POINTS} x {POINTS}",
        "ms": 1000 * timed(partial(_with_gradient, chamfer), 3),
        "torch.cdist ms": 1000 * timed(partial(_with_gradient, by_cdist), 1),
        "MiB": peak_mib(chamfer), "torch.cdist MiB": peak_mib(by_cdist),
    }  # fmt: skip


def by_cdist(first: Tensor, second: Tensor) -> Tensor:
    """As `chamfer`, with the distances of all pairs of points in memory."""
    squares = torch.cdist(first, second).square()
    return squares.amin(dim=2).mean() + squares.amin(dim=1).mean()


def peak_mib(distance: Callable[[Tensor, Tensor], Tensor]) -> float:
    """By how much the memory of a process of its own grows at most in a distance with gradient, MiB."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_grown_mib, distance).result()


def _grown_mib(distance: Callable[[Tensor, Tensor], Tensor]) -> float:
    _with_gradient(distance, points=FEW)  # so that what is loaded at the first use is no part of it
    before = _most_mib()
    _with_gradient(distance)
    return _most_mib() - before


def _most_mib() -> float:
    # Not ru_maxrss, in which a process begins with what its parent had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def _with_gradient(distance: Callable[[Tensor, Tensor], Tensor], points: int = POINTS) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.rand(BATCH, points, 3, generator=generator) for _ in range(2))
    distance(first.requires_grad_(), second).backward()
