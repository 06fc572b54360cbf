"""Atlases: the tables of AtlasNet (Groueix et al., CVPR 2018) on parametric shapes, pictures to meshes, speed.

Held-out shapes of `sim.shapes`, which no network was trained on. CD: Chamfer distance times 1000 between 2,500 points
of a regular grid and 2,500 of the shape. METRO: of both ways the larger mean distance between the surfaces, times 1000,
meshes of 22,500 points. Both in the unit ball; `training/shapes/atlas/metrics.py` defines them. Oracles: other points
of the shape itself, their surface by Poisson reconstruction with its true normals. Published, on ShapeNet: CD points
1.91, 1 patch 1.84, sphere 1.72, 5 patches 1.57, 25 1.56, 125 1.51.

Most of the networks are compared only, and no part of the models: their rows are there once they have been trained,
which `./run bench atlas --train yes` does first where it was not done, for hours.
"""

import itertools
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from _atlas_networks import CHARTS, ELEMENTARY, LEFT_OUT, NORMALS, PICTURES, SHIPPED, WIDTHS, Compared, without
from _atlas_speed import MESH_POINTS, chamfer_speed, mesh_speed
from _report import arguments, check, finish

from perception.shapes.atlas.bundle import AtlasBundle
from perception.shapes.atlas.network import AtlasNetwork
from perception.shapes.atlas.reconstruction import Placement, reconstruct
from perception.shapes.shape import Shape
from sim.random_streams import stream
from sim.shapes import ObjectShape, family
from sim.shapes.surface import Outside
from training.shapes.atlas.metrics import POINTS, Metro, chamfer_and_f_score, metro
from training.shapes.atlas.picture_set import PictureSetConfig, rendered
from training.shapes.atlas.surface_set import CATEGORIES

SEED = 77  # neither that of training nor of validation
SHAPES, QUICK_SHAPES = 20, 1  # of each category
MANY = 125_000


class Truth:
    """A held-out shape in the unit ball: what an encoder sees, other points, and its surface."""

    def __init__(self, category: str, index: int) -> None:
        made = family(category).sample(stream(SEED, index, f"shape {category}"))
        self._outside = Outside(made.parts())
        points, _ = self._outside.sample(2 * POINTS + MESH_POINTS, stream(SEED, index, "bench atlas"))
        self._ball = Placement.of(points, np.eye(3))
        self.category, self.index, self.name = category, index, f"{category}/{SEED}/{index}"
        self.seen, self.points, self.surface = np.split(self._ball.apply(points), [POINTS, 2 * POINTS])
        shape = ObjectShape.of(made)
        self.mesh = Shape(self._ball.apply(shape.vertices), shape.faces)

    def more(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Other points (N, 3) of its surface, and their normals."""
        points, normals = self._outside.sample(count, stream(SEED, self.index, "oracle of atlases"))
        return self._ball.apply(points), normals


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
    figures, surfaces = [], []
    for latent, truth in zip(latents, shapes, strict=True):
        figures.append(chamfer_and_f_score(reconstruct(network, latent, POINTS).points, truth.points))
        if mesh := meshed(network, latent):
            surfaces.append(metro(mesh, truth.mesh, truth.surface))
    return {"network": label, "shapes": len(shapes)} | averages(figures) | distances(surfaces)


def averages(figures: list[tuple[float, float]]) -> dict:
    """Chamfer distances and F-scores as columns."""
    distance, score = np.mean(figures, axis=0)
    return {"CD": float(distance), "F-score %": 100 * float(score)}


def distances(surfaces: list[Metro]) -> dict:
    """Distances between surfaces as columns, of which there are none without any."""
    if not surfaces:
        return {}
    mean, largest = (float(np.mean(one)) for one in zip(*((one.mean, one.largest) for one in surfaces), strict=True))
    return {"METRO": 1000 * mean, "METRO, largest": 1000 * largest}


def meshed(network: AtlasNetwork, latent: np.ndarray) -> Shape | None:
    """The surface of a reconstruction: its charts, or the Poisson surface of points with normals where open3d is."""
    atlas = reconstruct(network, latent, MESH_POINTS)
    if atlas.faces is not None:
        return atlas.shape
    closed = poisson()
    if network.manifest.structure != "points_normals" or closed is None:
        return None
    return closed(atlas.points, network.normals(latent[None]).reshape(-1, 3).astype(float))


def poisson() -> Callable[[np.ndarray, np.ndarray], Shape] | None:
    """Poisson reconstruction of points with normals, where open3d is."""
    try:
        import open3d  # noqa: F401
    except ModuleNotFoundError:
        return None
    from perception.shapes.atlas.poisson import closed

    return closed


def oracle(shapes: list[Truth], count: int) -> dict:
    """What so many other points of the shape itself give, and the Poisson surface of them and their true normals."""
    row: dict = {"network": f"oracle, {count} points", "shapes": len(shapes)}
    if count == POINTS:
        row |= averages([chamfer_and_f_score(one.seen, one.points) for one in shapes])
    if closed := poisson():
        row |= distances([metro(closed(*one.more(count)), one.mesh, one.surface) for one in shapes])
    return row


def tables(each: int) -> list[dict]:
    """Rows of all networks that there are."""
    shapes = truths(each)
    clouds = np.stack([one.seen for one in shapes])
    rows = [oracle(shapes, POINTS), oracle(shapes, MANY)]
    for one in (*CHARTS, NORMALS, *WIDTHS, *ELEMENTARY, *SHIPPED):
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
    config = PictureSetConfig(folder="runs", size_px=network.manifest.size, seed=SEED)
    made = rendered(config, [(f"shape/{one.name}", number) for number, one in enumerate(shapes)])
    return made[..., :3] if what == "pictures" else np.repeat(made[..., 3:], 3, axis=3)


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
        labels = [one.label for one in without(category)]
        for baseline, ours in zip(labels[::2], labels[1::2], strict=True):
            if baseline in found and ours in found:
                checks.append(check(f"CD, {ours} over points", found[ours]["CD"] / found[baseline]["CD"], "<", 1.0))
    baseline, ours = (f"{one.label}: pictures" for one in PICTURES)
    if ours in found and "METRO" in found.get(baseline, {}):
        share = found[ours]["METRO"] / found[baseline]["METRO"]
        checks.append(check(f"METRO, {ours} over {baseline}", share, "<=", 0.8))
    for row in rows:
        if "bare products ms" in row:
            share = row["ms"] / row["bare products ms"]
            checks.append(check(f"{row['network']}, over its bare products", share, "<=", 2.0))
            share = row["decoder ms"] / row["chart after chart ms"]
            checks.append(check(f"{row['network']}, decoder over chart after chart", share, "<=", 1.0))
    nearest = next(row for row in rows if "torch.cdist ms" in row)
    checks.append(check("torch.cdist over Chamfer, time", nearest["torch.cdist ms"] / nearest["ms"], ">=", 5.0))
    checks.append(check("torch.cdist over Chamfer, memory", nearest["torch.cdist MiB"] / nearest["MiB"], ">=", 10.0))
    return checks


def main() -> None:
    """Print the tables."""
    options = arguments(__doc__ or "", train="yes: train first what was not", shapes="shapes of each category")
    if options.train:
        left_out = itertools.chain(*map(without, LEFT_OUT))
        for one in (*CHARTS, NORMALS, *SHIPPED, *PICTURES, *WIDTHS, *ELEMENTARY, *left_out):
            one.trained()
    each = int(options.shapes or (QUICK_SHAPES if options.quick else SHAPES))
    fast = [mesh_speed(one) for one in (SHIPPED[0], PICTURES[1]) if one.folder.is_dir()]
    rows = [*tables(each), *fast, chamfer_speed()]
    finish(rows, checks_of(rows), options.quick)


if __name__ == "__main__":
    main()
