"""blockworld layers decompose: a picture's layers as SVG, OpenRaster, PNG or JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from perception.layers.layer import Decomposition
    from perception.layers.network import LayersNetwork


@click.command(epilog="Example: blockworld layers decompose logo.png --layers 10 --out logo.svg --out logo.ora")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("--out", "outs", multiple=True, required=True, type=NewFile(".svg", ".ora", ".png", ".json"),
              help="File to write; may be given several times.")  # fmt: skip
@click.option("--layers", type=click.IntRange(1, 256), help="How many layers. [default: as in the network's training]")
@click.option("--colours", type=click.IntRange(1, 256), help="How many colours all layers have together.")
@click.option("--effort", default="good", show_default=True, type=click.Choice(["fast", "good", "best"]),
              help="fast: as the network sees it. good, best: layers are also fitted to the picture.")  # fmt: skip
@click.option("--least-gain", default=0.0, show_default=True, type=click.FloatRange(0, 1),
              help="Stop where a layer takes less than this part of the error away; 0: all layers.")  # fmt: skip
@click.option("--size", type=click.IntRange(1, 16384), help="Longer side of .png and .ora. [default: the picture's]")
@click.option("--levels", default=1, show_default=True, type=click.IntRange(1, 32),
              help="Paths of each layer in a .svg: more for soft borders.")  # fmt: skip
@click.option("--tolerance", default=0.15, show_default=True, type=click.FloatRange(0.001, 100),
              help="By how much borders in a .svg may be off, px.")  # fmt: skip
@click.option("--polygons", is_flag=True, help="Straight lines in a .svg, in place of curves.")
@click.option("--model", default="layers_flat", show_default=True, help="Bundle to use.")
@MODELS
def decompose(
    source: Path, outs: tuple[Path, ...], layers: int | None, colours: int | None, effort: str, least_gain: float,
    size: int | None, levels: int, tolerance: float, polygons: bool, model: str,
    models: Path | None,
) -> None:
    """Decompose the picture IN into layers of one colour each, from the lowest to the topmost.

    What is transparent stays so. IN may also be a .json that this command wrote, which is written in other formats.
    """  # fmt: skip
    from perception.layers.decompose import EFFORTS
    from perception.layers.decompose import decompose as decomposed
    from perception.layers.network import LayersNetwork
    from perception.layers.picture import read_rgba
    from perception.layers.project import read_project

    if source.suffix.lower() == ".json":
        made = read_project(source)
        network = LayersNetwork.open(made.network, models)
        if made.layers and made.parameters.shape[1] != network.manifest.parameters:
            raise BlockworldError(f"{source} is not of the network {made.network} as it is now: decompose again.")
    else:
        picture = read_rgba(source)
        network = LayersNetwork.open(model, models)
        made = decomposed(network, picture, layers, EFFORTS[effort], least_gain)
    if colours is not None:
        made = _of_colours(network, made, colours)
    shape = levels, tolerance, polygons
    write_files({path: _content(network, made, path.suffix.lower(), size, shape) for path in outs})
    error = f", mean absolute error {made.errors[-1]:.4f}" if made.errors else ""
    click.echo(f"{source}: {len(made.layers)} layers{error}")
    for path in outs:
        click.echo(f"{path} written")


def _content(
    network: "LayersNetwork", made: "Decomposition", ending: str, size: int | None, shape: tuple[int, float, bool]
) -> bytes:
    from perception.layers.openraster import openraster, png
    from perception.layers.project import to_json
    from perception.layers.rendering import render, to_rgba
    from perception.layers.svg import svg

    if ending == ".svg":
        return svg(network, made, *shape).encode()
    if ending == ".json":
        return to_json(made).encode()
    share = 1.0 if size is None else size / max(made.width, made.height)
    width, height = max(1, round(made.width * share)), max(1, round(made.height * share))
    if ending == ".ora":
        return openraster(network, made, width, height)
    return png(to_rgba(render(network, made, width, height)))


def _of_colours(network: "LayersNetwork", made: "Decomposition", count: int) -> "Decomposition":
    from perception.layers.palette import limited
    from perception.layers.rendering import masks_at

    if len(made.layers) < count:
        raise BlockworldError(f"{count} colours were asked for of {len(made.layers)} layers: ask for more layers.")
    weights = masks_at(network, made, 64, 64).mean(axis=(1, 2))
    return made.with_colours(limited(made.colours, weights, count))
