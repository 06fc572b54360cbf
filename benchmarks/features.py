"""Features: what layers stand for, and how fast exemplars are scored.

Trends as published (Aubry and Russell, ICCV 2015): the residual falls with depth, style rises, viewpoint falls after it
rose; reported as found. They are of SqueezeNet with ImageNet's weights where ../shared/data has them. Scoring is beside
the bare matrix product in the same run. Detection is not there yet, and has no figures.
"""

import resource
from pathlib import Path

import numpy as np
from _report import arguments, check, finish
from _timing import timed

from sim.renderers import open_renderer
from training.features.analyze import Analysis, Pictures, analyze
from training.features.design import design_of
from training.features.exemplars import Exemplars, unit
from training.features.networks import checked_layers, open_network

WEIGHTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "backbones" / "squeezenet1_0_imagenet.npz"
SIZE_PX = 160
FULL, QUICK = (("style", 100), ("azimuth", 100)), (("style", 8), ("azimuth", 12))
WINDOWS, EXEMPLARS, NUMBERS = 2_000, 10_000, 2_304
LARGEST_MIB = 2_048


def analysed(quick: bool) -> Analysis:
    """SqueezeNet's layers, all of them."""
    network = open_network("squeezenet", WEIGHTS)
    renderer = open_renderer("gl", instead=False)
    pictures = Pictures(design_of("chair", QUICK if quick else FULL), SIZE_PX, renderer)
    renderer.close()
    try:
        return analyze(network, checked_layers(network, network.layers(SIZE_PX), SIZE_PX), pictures)
    finally:
        pictures.close()


def trends(found: Analysis, quick: bool) -> tuple[list[dict], list[dict]]:
    """Rows of layers, and the published trends."""
    rows = [
        {"layer": name, "style": one.components[0].share, "azimuth": one.components[1].share, "residual": one.residual}
        for name, one in found.layers.items()
    ]
    first, last = found.layers["conv1"], found.layers["fire9"]
    azimuths = [one.components[1].share for one in found.layers.values()]
    style = last.components[0].share / first.components[0].share
    checks = [
        check("residual, fire9 over conv1", last.residual / first.residual, "<", 1.0),
        check("style, fire9 over conv1", style, ">", 1.0),
        check("azimuth, largest over conv1", max(azimuths) / azimuths[0], ">", 1.0),
        check("azimuth, fire9 over largest", last.components[1].share / max(azimuths), "<", 1.0),
    ]
    if not quick:
        checks.append(check("decomposition of 10,000 pictures, peak MiB", peak_mib(), "<=", LARGEST_MIB))
    return rows, checks


def scoring() -> tuple[dict, dict]:
    """Exemplars beside the bare product of the same arrays."""
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(WINDOWS, NUMBERS)).astype(np.float32)
    exemplars = Exemplars(rng.normal(size=(EXEMPLARS, NUMBERS)).astype(np.float32))
    normalised = unit(windows)
    ours = timed(lambda: [scores.max() for _, scores in exemplars.scored(windows)], repeats=3)
    bare = timed(lambda: normalised @ exemplars.matrix.T, repeats=3)
    row = {"layer": f"{WINDOWS} windows, {EXEMPLARS} exemplars", "s": ours, "bare product s": bare}
    return row, check("scoring over the bare product", ours / bare, "<=", 2.0)


def peak_mib() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    quick = arguments(__doc__ or "").quick
    rows, checks = [], []
    if WEIGHTS.is_file():
        rows, checks = trends(analysed(quick), quick)
    else:
        print("the published weights of SqueezeNet are not on this machine, so its layers are left out")
    row, one = scoring()
    finish([*rows, row], [*checks, one], quick)


if __name__ == "__main__":
    main()
