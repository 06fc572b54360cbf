"""blockworld shapes transfer-texture: the colours of one shape on another."""

from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS
from blockworld.shape_pairs import CATEGORY, FILE, fitted_pair
from perception.shapes.categories import Category


@click.command("transfer-texture", epilog="Example: blockworld shapes transfer-texture a.glb b.ply --out coloured.ply")
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@CATEGORY
@click.option("--out", required=True, type=NewFile(".ply"), help="PLY file for B with A's colours.")
@MODELS
def transfer_texture(a: Path, b: Path, category: Category, out: Path, models: Path | None) -> None:
    """Colour shape B as shape A is coloured at corresponding points.

    A has colours of its points or faces, or a texture within or beside its file. Each point of B takes the colour of
    the point of A that it corresponds to: the finer both meshes are, the finer what is seen.
    """
    from perception.shapes.reading import read_colours, read_shape
    from perception.shapes.writing import ply

    colours = read_colours(a, read_shape(a))
    pair = fitted_pair(a, b, category, models)
    back = pair.matcher.match(pair.fits[1], pair.fits[0], pair.shapes[0])
    write_files({out: ply(pair.shapes[1], colours[back.indices])})
    click.echo(f"{out}: {len(back.indices)} points of {b} in colours of {a}, matched in {pair.duration_s:.0f} s")
