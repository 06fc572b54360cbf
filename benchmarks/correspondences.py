"""Correspondences between human bodies: the tables of 3D-CODED (Groueix et al., ECCV 2018), robustness, time, memory.

Bodies in shapes and poses that no network was trained on, pairs of which are matched as a user's would be: 6,890 of
their vertices without triangles or with all, in another order and turned at random. The error is the mean distance of
matched points from the true ones on the target, as on FAUST's challenge. Published there, with other bodies: no
regression 6.29 cm, with it 3.255, regular sampling 3.048, high-resolution template 2.878; Chamfer distance alone 8.727,
with regularization 4.835, with correspondences 2.878.

Networks without correspondences are for comparison only and no part of the models: the rows that need them are there
once `blockworld train shapes-human-chamfer --models runs/models` and the same with `shapes-human-unsupervised` have
been run.
"""

import itertools
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from _report import arguments, check, finish
from _timing import timed
from _workers import LOG, resumed, workers
from scipy.spatial.transform import Rotation

from perception.bundle_folder import default_models_dir
from perception.configuration import read_configuration
from perception.shapes.bundle import ShapeBundle
from perception.shapes.deformation import DeformationNetwork
from perception.shapes.matching import Fit, FitSettings, Matcher
from perception.shapes.shape import Shape
from perception.shapes.visibility import seen_from
from training.core.memory import keep_freed_memory
from training.core.precision import product_dtype
from training.recipes import RECIPES
from training.shapes.bodies import Bodies
from training.shapes.config import ShapesConfig
from training.shapes.losses import supervised
from training.shapes.train import network_of

OWN = "shapes_human"
SEED = 511  # not that of the pairs that the non-rigid steps were chosen on
PAIRS, QUICK_PAIRS = 20, 1
ROBUST_PAIRS, QUICK_ROBUST_PAIRS = 8, 0
VERTICES = 6890
WHOLE = FitSettings()
PAPER = replace(WHOLE, stiffness=())
STEPS = {
    "no regression": replace(PAPER, steps=0, regular=False, dense=0),
    "regression": replace(PAPER, regular=False, dense=0),
    "+ regular sampling": replace(PAPER, dense=0),
    "+ high-resolution template": PAPER,
    "+ non-rigid steps": WHOLE,
}
CORRUPTIONS = ("cloud", "noise", "shot noise", "holes", "resampling", "partial", "scale")
TRAINED = Path("runs/models")
LEARNED = {"Chamfer alone": "shapes_human_chamfer", "+ regularization": "shapes_human_unsupervised"}
TARGET_CM, FLOOR_CM = 2.9, 4.5
MOST_S, MOST_GB, MOST_RATIO, MOST_FACTOR = 90.0, 1.5, 2.0, 2.0


@dataclass(frozen=True, eq=False)
class Body:
    """A body as it is given, mesh or cloud, and which vertices of the topology its points are."""

    shape: Shape
    vertices: np.ndarray


@dataclass(frozen=True)
class Case:
    """One row of the tables: whose network, how it fits, and what was done to the target."""

    network: str
    settings: FitSettings = WHOLE
    corruption: str = "none"


@lru_cache(maxsize=3)
def network(name: str) -> DeformationNetwork:
    """Of a bundle in models/ or, for the networks that are no part of these, in runs/models/."""
    folders = [folder / name for folder in (default_models_dir(), TRAINED)]
    return DeformationNetwork(ShapeBundle.load(next((one for one in folders if one.is_dir()), folders[0])))


@lru_cache(maxsize=16)
def matcher(name: str, settings: FitSettings) -> Matcher:
    """Of the network of that name."""
    return Matcher(network(name), settings)


@lru_cache(maxsize=1)
def bodies() -> Bodies:
    """The source of bodies; it takes seconds to open."""
    torch.set_num_threads(1)
    return Bodies()


def pair(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) m of the two bodies of a pair, true correspondence by index."""
    made = bodies().sample(np.random.default_rng((SEED, index)), 2).double().numpy()
    return made[0], made[1]


def given(vertices: np.ndarray, rng: np.random.Generator, corruption: str) -> tuple[Body, float]:
    """A body as a user has it, turned and in an order of its own; and by what its units are larger than metres."""
    scale = float(rng.uniform(0.01, 1000)) if corruption == "scale" else 1.0
    turned = scale * vertices @ Rotation.random(random_state=rng).as_matrix().T + scale * rng.normal(0, 1, 3)
    order = rng.permutation(len(vertices))
    height = scale * 1.7
    if corruption == "none":
        back = np.argsort(order)
        return Body(Shape(turned[order], back[bodies().faces]), order), scale
    kept = order[:VERTICES]
    if corruption == "holes":
        centres = turned[rng.permutation(kept)[:6]]
        away = np.linalg.norm(turned[kept, None] - centres, axis=2).min(axis=1)
        kept = kept[away > 0.06 * height]
    elif corruption == "resampling":
        along = turned[kept] @ Rotation.random(random_state=rng).as_matrix()[0]
        share = (along - along.min()) / np.ptp(along)
        kept = kept[rng.random(len(kept)) < 0.1 + 0.5 * share]
    elif corruption == "partial":
        kept = kept[visible(turned[kept], rng)]
    points = turned[kept]
    if corruption == "noise":
        points = points + rng.normal(0, 0.01 * scale, points.shape)
    elif corruption == "shot noise":
        hit = rng.random(len(points)) < 0.03
        points[hit] += rng.normal(0, 0.15 * scale, (int(hit.sum()), 3))
    return Body(Shape(points), kept), scale


def visible(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: points that a depth camera from a random side sees, by hidden point removal (Katz et al., 2007)."""
    way = rng.normal(size=3)
    eye = points.mean(axis=0) + 4 * way / np.linalg.norm(way)
    seen = np.zeros(len(points), dtype=bool)
    seen[seen_from(points, eye, 10**1.5 * float(np.linalg.norm(points - eye, axis=1).max()))] = True
    return seen


def errors(job: tuple[tuple[Case, ...], int]) -> list[float]:
    """Mean errors in cm of one pair, by case. Cases that differ in what follows the regression share it."""
    cases, index = job
    source, target = pair(index)
    regressed: dict[tuple, Fit] = {}

    def fit(case: Case, shape: Shape, which: str) -> Fit:
        settings = replace(case.settings, dense=0, stiffness=())
        key = (case.network, settings, which)
        if key not in regressed:
            regressed[key] = matcher(case.network, settings).fit(shape)
        found = regressed[key]
        return matcher(case.network, case.settings).fit_of(shape, found.latent, found.placement)

    found = []
    for case in cases:
        a, (b, scale) = ends(source, target, index, case.corruption)
        fits = fit(case, a.shape, f"source of {len(a.vertices)}"), fit(case, b.shape, case.corruption)
        matches = matcher(case.network, case.settings).match(*fits, b.shape)
        away = distances(matches.points / scale, a, b, scale, target)
        if case.corruption in ("partial", "holes"):  # only of what is there is there anything to be matched
            away = away[np.isin(a.vertices, b.vertices)]
        found.append(100 * float(away.mean()))
    return found


def ends(source: np.ndarray, target: np.ndarray, index: int, corruption: str) -> tuple[Body, tuple[Body, float]]:
    """A pair as it is given: whole meshes, or two clouds of which the target is corrupted."""
    rng = np.random.default_rng((SEED, index, 1))
    a, b = given(source, rng, "none")[0], given(target, rng, corruption)
    if corruption != "none":
        a = Body(Shape(a.shape.points[:VERTICES]), a.vertices[:VERTICES])
    return a, b


def distances(points: np.ndarray, a: Body, b: Body, scale: float, target: np.ndarray) -> np.ndarray:
    """(N,) m: how far the points of `a`, as they were found on `b`, are from where they are in truth."""
    # Where the true point of the target is, whether it was seen or not, in the frame that the target was given in.
    aligned, _ = Rotation.align_vectors(
        *(one - one.mean(axis=0) for one in (b.shape.points / scale, target[b.vertices]))
    )
    middle = (b.shape.points / scale).mean(axis=0) - aligned.apply(target[b.vertices].mean(axis=0))
    return np.asarray(np.linalg.norm(points - aligned.apply(target[a.vertices]) - middle, axis=1))


def alone() -> tuple[float, float]:
    """How long it takes to match one pair as a user does, s, and the peak memory of that process, GB."""
    a, (b, _) = ends(*pair(0), 0, "cloud")
    found = matcher(OWN, WHOLE)
    begin = time.perf_counter()
    found.match(found.fit(a.shape), found.fit(b.shape), b.shape)
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def training_speed() -> dict:
    """Forward and back of the shipped recipe's network beside a bare matrix product, both in the precision that
    it trains in here, in GFLOP/s."""
    keep_freed_memory()  # as in training
    dtype = product_dtype(torch.device("cpu"))
    config = read_configuration(ShapesConfig, RECIPES["shapes-human"].config, ())
    network, count = network_of(config), config.micro_batch
    points, template = torch.randn(count, config.points, 3), torch.randn(config.places, 3)
    places = torch.randn(count, config.places, 3)
    products = 0
    for widths, rows, passes in (
        ((3, *config.encoder), count * config.points, 1), ((3, *config.decoder, 3), count * config.places, 3),
    ):  # fmt: skip
        products += passes * sum(2 * a * b * rows for a, b in itertools.pairwise(widths))

    def step() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
            loss = supervised(network(points, template).float(), places)
        loss.backward()

    left, right = torch.randn(8192, 1024).to(dtype), torch.randn(1024, 512).to(dtype)
    step_s, product_s = timed(step), timed(lambda: left @ right)
    return {
        "figure": f"training step, {str(dtype).removeprefix('torch.')}",
        "GFLOP/s": products / step_s / 1e9,
        "bare product GFLOP/s": 2 * left.numel() * right.shape[1] / product_s / 1e9,
    }


def main() -> None:
    """Match all pairs in as many processes as there are cores; print the tables."""
    options = arguments(__doc__ or "", pairs="pairs of bodies", robust="pairs of each robustness row", log=LOG)
    pairs = range(int(options.pairs or (QUICK_PAIRS if options.quick else PAIRS)))
    robust = range(int(options.robust or (QUICK_ROBUST_PAIRS if options.quick else ROBUST_PAIRS)))
    learned = {label: name for label, name in LEARNED.items() if (TRAINED / name).is_dir()}
    tables = [({label: Case(OWN, settings) for label, settings in STEPS.items()}, pairs)]
    tables += [({label: Case(name)}, pairs) for label, name in learned.items()]
    if robust:
        tables += [({f"robustness: {one}": Case(OWN, WHOLE, one) for one in CORRUPTIONS}, robust)]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # whose memory is none of matching's
        speed = pool.submit(training_speed).result()
    duration_s, memory_gb = alone()
    found: dict[str, np.ndarray] = {}
    with workers() as pool:
        for cases, indices in tables:
            first = next(iter(cases))
            jobs = {f"{first} {index}": (tuple(cases.values()), index) for index in indices}
            done = resumed(pool, errors, jobs, options.log, f"pairs, {first} and so on" if len(cases) > 1 else first)
            found |= {label: np.array([one[i] for one in done]) for i, label in enumerate(cases)}
    rows = [
        {"figure": label, "mean error cm": float(one.mean()), "median of pairs cm": float(np.median(one)),
         "worst pair cm": float(one.max()), "pairs": len(one)}
        for label, one in found.items()
    ]  # fmt: skip
    mean = {row["figure"]: row["mean error cm"] for row in rows}
    rows += [speed, {"figure": "one pair alone", "s": duration_s, "peak GB": memory_gb}]
    order = list(STEPS)
    checks = [check("supervised, with everything, cm", mean[order[-1]], "<=", TARGET_CM)]
    checks += [check(f"{b} against {a}, cm", mean[b] - mean[a], "<", 0.0) for a, b in itertools.pairwise(order)]
    if len(learned) == len(LEARNED):
        first, second = LEARNED
        checks.append(check(f"{second} against {first}, cm", mean[second] - mean[first], "<", 0.0))
        checks.append(check(f"correspondences against {second}, cm", mean[order[-1]] - mean[second], "<", 0.0))
    whole = mean.get("robustness: cloud")
    checks += [
        check(f"{one} over the clean cloud", mean[f"robustness: {one}"] / whole, "<=", MOST_RATIO)
        for one in CORRUPTIONS[1:]
        if whole
    ]
    checks.append(check("one pair, s", duration_s, "<=", MOST_S))
    checks.append(check("peak memory, GB", memory_gb, "<=", MOST_GB))
    factor = speed["bare product GFLOP/s"] / speed["GFLOP/s"]
    checks.append(check("training step over the arithmetic of its products", factor, "<=", MOST_FACTOR))
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
