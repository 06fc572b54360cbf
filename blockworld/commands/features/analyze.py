"""blockworld features analyze: how much of each layer's features is due to which factor."""

from __future__ import annotations

from pathlib import Path

import click

from blockworld.features_options import WEIGHTS, NameAnd, renderer, weights_of
from perception.errors import BlockworldError

FACTORS = (("style", 8), ("azimuth", 12))


@click.command("analyze", epilog="Example: blockworld features analyze --network coarse --out report")
@click.option(
    "--network",
    "names",
    multiple=True,
    default=("resnet18",),
    show_default=True,
    help="resnet18, squeezenet, a bundle such as coarse, an .onnx file, or MODULE:FUNCTION; several are compared.",
)
@click.option("--layer", "layers", multiple=True, help="Of one network: layers by name; default: one of each stage.")
@click.option("--category", default="chair", show_default=True, help="What is drawn: chair, car, mug, ...")
@click.option(
    "--factor",
    "factors",
    multiple=True,
    type=NameAnd(click.IntRange(0, 1000), "FACTOR=NUMBER"),
    default=FACTORS,
    help="Number of values of style, azimuth, elevation, in-plane, translation, scale, foreground, background, light; "
    "all are combined with all. Default: style=8 azimuth=12.",
)
@click.option("--size", "size_px", type=click.IntRange(1, 1024), default=160, show_default=True, help="Of pictures.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the series of models.")
@WEIGHTS
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="For report.html and report.json."
)
def analyze(
    names: tuple[str, ...], layers: tuple[str, ...], category: str, factors: tuple[tuple[str, int], ...], size_px: int,
    seed: int, weights: tuple[tuple[str, Path], ...], out: Path,
) -> None:
    """Render a category with every combination of factors, and split the variance of features by factor.

    Printed for each layer: the share of each factor, and the residual, which is what their combination adds.
    """
    from tqdm import tqdm

    from training.features import analyze as analysis
    from training.features.design import design_of
    from training.features.networks import checked_layers, open_network

    design = design_of(category, factors, seed)
    if len(design) > (limit := 100_000):
        raise BlockworldError(f"{len(design)} combinations of values are more than {limit}: give factors fewer values.")
    if layers and len(names) > 1:
        raise BlockworldError(f"--layer names layers of one network, but there are {len(names)}: give one --network.")
    files = weights_of(weights, names)

    from blockworld.features_report import make_folder, write_report

    make_folder(out)
    networks = [open_network(name, files.get(name)) for name in dict.fromkeys(names)]
    wanted = [checked_layers(one, layers, size_px) for one in networks]
    with renderer() as opened, tqdm(total=len(design), desc="pictures", leave=False, disable=None) as bar:
        pictures = analysis.Pictures(design, size_px, opened, bar.update)
    try:
        found = []
        for network, chosen in zip(networks, wanted, strict=True):
            with tqdm(total=2 * len(design), desc=network.name, leave=False, disable=None) as bar:
                found.append(analysis.analyze(network, chosen, pictures, bar.update))
        shown = [[pictures[index] for index in one] for one in design.singles()]
    finally:
        pictures.close()
    report = analysis.as_json(design, found)
    write_report(out, report, shown)
    width = max(len(name) for one in found for name in one.layers)
    heads = [*(one.name for one in design.factors), "residual"]
    for one in found:
        click.echo(f"{one.network:<{width}}  {'  '.join(f'{head:>11}' for head in heads)}")
        for name, layer in one.layers.items():
            shares = [*(part.share for part in layer.components), layer.residual]
            click.echo(f"{name:<{width}}  {'  '.join(f'{100 * share:>9.1f} %' for share in shares)}")
    click.echo(f"{len(design)} pictures; {out / 'report.html'} written")
