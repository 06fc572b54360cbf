"""blockworld layers decompose: a picture's layers as SVG, OpenRaster, PNG or JSON."""

from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from blockworld.layers_options import decomposing, of_colours


@click.command(epilog="Example: blockworld layers decompose logo.png --layers 10 --out logo.svg --out logo.ora")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("--out", "outs", multiple=True, required=True, type=NewFile(".svg", ".ora", ".png", ".json"),
              help="File to write; may be given several times.")  # fmt: skip
@click.option("--size", type=click.IntRange(1, 16384), help="Longer side of .png and .ora. [default: the picture's]")
@click.option("--levels", default=1, show_default=True, type=click.IntRange(1, 32),
              help="Paths of each layer in a .svg: more for soft borders.")  # fmt: skip
@click.option("--tolerance", default=0.15, show_default=True, type=click.FloatRange(0.001, 100),
              help="By how much borders in a .svg may be off, px.")  # fmt: skip
@click.option("--polygons", is_flag=True, help="Straight lines in a .svg, in place of curves.")
@decomposing
def decompose(
    source: Path, outs: tuple[Path, ...], layers: int | None, colours: int | None, effort: str, least_gain: float,
    size: int | None, levels: int, tolerance: float, polygons: bool, model: str,
    models: Path | None,
) -> None:
    """Decompose the picture IN into layers of one colour each, from the lowest to the topmost.

    What is transparent stays so. IN may also be a .json that this command or the editor wrote, which is written in
    other formats.
    """  # fmt: skip
    from perception.layers.decompose import EFFORTS
    from perception.layers.decompose import decompose as decomposed
    from perception.layers.files import content_of, network_of
    from perception.layers.network import LayersNetwork
    from perception.layers.picture import read_rgba
    from perception.layers.project import read_project

    if source.suffix.lower() == ".json":
        made = read_project(source)
        network = network_of(made, str(source), lambda name: LayersNetwork.open(name, models))
    else:
        picture = read_rgba(source)
        network = LayersNetwork.open(model, models)
        made = decomposed(network, picture, layers, EFFORTS[effort], least_gain)
    made = of_colours(network, made, colours)
    shape = levels, tolerance, polygons
    write_files({path: content_of(network, made, path.suffix.lower(), size, *shape) for path in outs})
    error = f", mean absolute error {made.errors[-1]:.4f}" if made.errors else ""
    click.echo(f"{source}: {len(made.layers)} layers{error}")
    for path in outs:
        click.echo(f"{path} written")
