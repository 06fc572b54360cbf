"""Atlases: the tables of AtlasNet (Groueix et al., CVPR 2018) on parametric shapes, pictures to meshes, speed.

Held-out shapes of `sim.shapes`, which no network was trained on. CD: Chamfer distance times 1000 between 2,500 points
of a regular grid and 2,500 of the shape. METRO: of both ways the larger mean distance between the surfaces, times 1000,
meshes of 22,500 points. Both in the unit ball; `training/shapes/atlas/metrics.py` defines them. Oracles: 2,500 other
points of the shape itself. Published, on ShapeNet: CD points 1.91, 1 patch 1.84, sphere 1.72, 5 patches 1.57, 25 1.56,
125 1.51.

Most of the networks are compared only, and no part of the models: their rows are there once they have been trained,
which `./run bench atlas --train yes` does first where it was not done, for hours.
"""

import itertools
import threading
import time
from functools import lru_cache

import numpy as np
import torch
from _atlas_networks import CHARTS, ELEMENTARY, LEFT_OUT, NORMALS, PICTURES, Compared, without
from _report import arguments, check, finish
from _timing import timed

from perception.shapes.atlas.bundle import AtlasBundle
from perception.shapes.atlas.network import AtlasNetwork
from perception.shapes.atlas.reconstruction import Atlas, Placement, reconstruct
from perception.shapes.shape import Shape
from sim.random_streams import stream
from sim.shapes import ObjectShape, family
from sim.shapes.surface import Outside
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.decoders import ChartDecoder
from training.shapes.atlas.metrics import METRO_POINTS, POINTS, chamfer_and_f_score, metro
from training.shapes.atlas.picture_set import PictureSetConfig
from training.shapes.atlas.surface_set import CATEGORIES
from training.shapes.losses import chamfer

SEED = 77  # neither that of training nor of validation
SHAPES, QUICK_SHAPES = 20, 1  # of each category
MESH_POINTS = 22_500
BATCH = 32


class Truth:
    """A held-out shape in the unit ball: what an encoder sees, other points, and its surface."""

    def __init__(self, category: str, index: int) -> None:
        made = family(category).sample(stream(SEED, index, f"shape {category}"))
        points, _ = Outside(made.parts()).sample(2 * POINTS + METRO_POINTS, stream(SEED, index, "bench atlas"))
        ball = Placement.of(points, np.eye(3))
        self.category, self.name = category, f"{category}/{SEED}/{index}"
        self.seen, self.points, self.surface = np.split(ball.apply(points), [POINTS, 2 * POINTS])
        shape = ObjectShape.of(made)
        self.mesh = Shape(ball.apply(shape.vertices), shape.faces)


@lru_cache(maxsize=1)
def truths(each: int) -> list[Truth]:
    """The same number of every category."""
    return [Truth(category, index) for category in CATEGORIES for index in range(each)]


def opened(network: Compared) -> AtlasNetwork | None:
    """Its bundle, where it was trained."""
    return AtlasNetwork(AtlasBundle.load(network.folder)) if network.folder.is_dir() else None


def measured(network: AtlasNetwork, label: str, shapes: list[Truth], seen: np.ndarray) -> dict:
    """One row of a table: seen, clouds (S, N, 3) or pictures, of the shapes."""
    pictures = network.manifest.input == "picture"
    latents = network.encode_pictures(seen) if pictures else network.encode_clouds(seen[:, : network.manifest.size])
    figures, distances = [], []
    for latent, truth in zip(latents, shapes, strict=True):
        figures.append(chamfer_and_f_score(reconstruct(network, latent, POINTS).points, truth.points))
        atlas = reconstruct(network, latent, MESH_POINTS)
        if mesh := meshed(network, latent, atlas):
            distances.append(metro(mesh, truth.mesh, truth.surface))
    row = {"network": label, "shapes": len(shapes), "CD": float(np.mean([one[0] for one in figures]))}
    row["F-score %"] = 100 * float(np.mean([one[1] for one in figures]))
    if distances:
        row |= {"METRO": 1000 * float(np.mean([one.mean for one in distances]))}
        row |= {"METRO, largest": 1000 * float(np.mean([one.largest for one in distances]))}
    return row


def meshed(network: AtlasNetwork, latent: np.ndarray, atlas: Atlas) -> Shape | None:
    """The surface of a reconstruction: its charts, or the Poisson surface of points with normals where open3d is."""
    if atlas.faces is not None:
        return atlas.shape
    if network.manifest.structure != "points_normals":
        return None
    try:
        import open3d  # noqa: F401
    except ModuleNotFoundError:
        return None
    from perception.shapes.atlas.poisson import closed

    return closed(atlas.points, network.normals(latent[None]).reshape(-1, 3).astype(float))


def oracle(shapes: list[Truth]) -> dict:
    """What 2,500 other points of the shape itself give."""
    figures = np.array([chamfer_and_f_score(one.seen, one.points) for one in shapes])
    return {
        "network": "oracle, 2,500 points", "shapes": len(shapes), "CD": float(figures[:, 0].mean()),
        "F-score %": 100 * float(figures[:, 1].mean()),
    }  # fmt: skip


def tables(each: int) -> list[dict]:
    """Rows of all networks that there are."""
    shapes = truths(each)
    clouds = np.stack([one.seen for one in shapes])
    rows = [oracle(shapes)]
    for one in (*CHARTS, NORMALS, *ELEMENTARY):
        if network := opened(one):
            rows.append(measured(network, one.label, shapes, clouds))
    for category in LEFT_OUT:
        chosen = [truth for truth in shapes if truth.category == category]
        for one in without(category):
            if network := opened(one):
                rows.append(measured(network, one.label, chosen, np.stack([truth.seen for truth in chosen])))
    for one in PICTURES:
        if network := opened(one):
            for what in ("pictures", "drawings"):
                rows.append(measured(network, f"{one.label}: {what}", shapes, views(shapes, network, what)))
    return rows


def views(shapes: list[Truth], network: AtlasNetwork, what: str) -> np.ndarray:
    """(S, H, H, 3) pictures or drawings of the shapes, of the size that the network takes."""
    from training.shapes.atlas.picture_set import rendered

    config = PictureSetConfig(folder="runs", size_px=network.manifest.size, seed=SEED)
    made = rendered(config, [(f"shape/{one.name}", number) for number, one in enumerate(shapes)])
    return made[..., :3] if what == "pictures" else np.repeat(made[..., 3:], 3, axis=3)


def mesh_speed() -> list[dict]:
    """From a cloud or a picture to a mesh of 25 x 900 points beside its bare matrix products, and beside a loop over
    charts, in PyTorch."""
    rows = []
    for one in (CHARTS[4], PICTURES[1]):
        network = opened(one)
        if network is None:
            continue
        size = network.manifest.size
        rng = np.random.default_rng(0)
        cloud = network.manifest.input == "cloud"
        seen = rng.normal(size=(1, size, 3)) if cloud else rng.integers(0, 256, (1, size, size, 3), dtype=np.uint8)
        encode = network.encode_clouds if cloud else network.encode_pictures

        def run(network=network, encode=encode, seen=seen) -> None:
            reconstruct(network, encode(seen)[0], MESH_POINTS)

        rows.append({"network": f"{one.label}: mesh of {MESH_POINTS} points", "ms": 1000 * timed(run)})
    return rows


def decoder_speed() -> dict:
    """A decoder of 25 charts at once, beside the products alone, and beside a loop over its charts."""
    config = AtlasConfig.model_validate(_shipped().model_dump())
    torch.manual_seed(0)
    decoder = ChartDecoder(config.charts, 2, config.decoder, config.latent).eval()
    charts, latent = torch.rand(config.charts, MESH_POINTS // config.charts, 2), torch.randn(1, config.latent)
    widths = (*config.decoder, 3)
    count = MESH_POINTS // config.charts
    inputs = [torch.randn(config.charts, count, a) for a in widths[:-1]]

    @torch.no_grad()
    def products() -> None:
        torch.nn.functional.linear(latent, decoder.code.weight)
        torch.bmm(charts, decoder.place)
        for x, weight in zip(inputs, decoder.layers.weights, strict=True):
            torch.bmm(x, weight)

    @torch.no_grad()
    def loop() -> None:
        code = decoder.code(latent).view(config.charts, -1)
        for k in range(config.charts):
            x = torch.relu(charts[k] @ decoder.place[k] + code[k])
            for number, (weight, bias) in enumerate(zip(decoder.layers.weights, decoder.layers.biases, strict=True)):
                x = torch.addmm(bias[k], x, weight[k])
                x = torch.relu(x) if number + 1 < len(decoder.layers.weights) else x
            torch.tanh(x)

    @torch.no_grad()
    def whole() -> None:
        decoder(charts, latent)

    return {
        "network": f"decoder of {config.charts} charts, {MESH_POINTS} points, PyTorch", "ms": 1000 * timed(whole),
        "bare products ms": 1000 * timed(products), "loop over charts ms": 1000 * timed(loop),
    }  # fmt: skip


def chamfer_speed() -> dict:
    """Exact Chamfer distance with gradient of 32 pairs of 2,500 points, beside torch.cdist: time and memory."""
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(BATCH, POINTS, 3, generator=generator, requires_grad=True)
    second = torch.rand(BATCH, POINTS, 3, generator=generator)

    def ours() -> None:
        chamfer(first, second).backward()

    def cdist() -> None:
        squares = torch.cdist(first, second).square()
        (squares.amin(dim=2).mean() + squares.amin(dim=1).mean()).backward()

    return {
        "network": f"Chamfer distance with gradient, {BATCH} x {POINTS} x {POINTS}",
        "ms": 1000 * timed(ours, 3), "torch.cdist ms": 1000 * timed(cdist, 1),
        "MiB": peak_mib(ours), "torch.cdist MiB": peak_mib(cdist),
    }  # fmt: skip


def peak_mib(run) -> float:
    """By how much the memory of this process grows in a call, at most, MiB; sampled every millisecond."""
    done, peak = threading.Event(), [0.0]
    start = resident_mib()

    def watch() -> None:
        while not done.is_set():
            peak[0] = max(peak[0], resident_mib() - start)
            time.sleep(1e-3)

    thread = threading.Thread(target=watch)
    thread.start()
    run()
    done.set()
    thread.join()
    return peak[0]


def resident_mib() -> float:
    """Memory of this process that is in use, MiB."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - a thousand times a second
        return int(file.read().split()[1]) * 4096 / 2**20


def _shipped() -> AtlasConfig:
    from perception.configuration import read_configuration
    from training.recipes import RECIPES

    return read_configuration(AtlasConfig, RECIPES["atlas-ae"].config, ())


def checks_of(rows: list[dict]) -> list[dict]:
    """The figures against their targets, of what there is."""
    found = {row["network"]: row for row in rows}
    checks = []
    order = [one.label for one in CHARTS]
    for a, b in itertools.pairwise(order):
        if a in found and b in found:
            sign = "<=" if b == order[-1] else "<"
            checks.append(check(f"CD, {b} over {a}", found[b]["CD"] / found[a]["CD"], sign, 1.0))
            if "METRO" in found[a]:
                checks.append(check(f"METRO, {b} over {a}", found[b]["METRO"] / found[a]["METRO"], "<=", 1.0))
    if order[0] in found and order[-1] in found:
        checks.append(check("CD, 125 patches over points", found[order[-1]]["CD"] / found[order[0]]["CD"], "<=", 0.85))
    for category in LEFT_OUT:
        baseline, ours = (one.label for one in without(category))
        if baseline in found and ours in found:
            checks.append(check(f"CD, {ours} over points", found[ours]["CD"] / found[baseline]["CD"], "<", 1.0))
    pictures = f"{PICTURES[1].label}: pictures"
    if pictures in found and "METRO" in found.get(NORMALS.label, {}):
        share = found[pictures]["METRO"] / found[NORMALS.label]["METRO"]
        checks.append(check("METRO of pictures over that of points and normals", share, "<=", 0.8))
    decoder = next(row for row in rows if "bare products ms" in row)
    checks.append(check("decoder over its bare products", decoder["ms"] / decoder["bare products ms"], "<=", 2.0))
    checks.append(check("decoder over a loop over charts", decoder["ms"] / decoder["loop over charts ms"], "<=", 1.0))
    nearest = next(row for row in rows if "torch.cdist ms" in row)
    checks.append(check("torch.cdist over Chamfer, time", nearest["torch.cdist ms"] / nearest["ms"], ">=", 5.0))
    checks.append(check("torch.cdist over Chamfer, memory", nearest["torch.cdist MiB"] / nearest["MiB"], ">=", 10.0))
    return checks


def main() -> None:
    """Print the tables."""
    options = arguments(__doc__ or "", train="yes: train first what was not", shapes="shapes of each category")
    if options.train:
        for one in (*CHARTS, NORMALS, *PICTURES, *ELEMENTARY, *itertools.chain(*map(without, LEFT_OUT))):
            one.trained()
    each = int(options.shapes or (QUICK_SHAPES if options.quick else SHAPES))
    rows = [*tables(each), *mesh_speed(), decoder_speed(), chamfer_speed()]
    finish(rows, checks_of(rows), options.quick)


if __name__ == "__main__":
    main()
