"""blockworld shapes match: the point of one shape that each point of another corresponds to."""

from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS
from blockworld.shape_pairs import CATEGORY, FILE, FittedPair, fitted_pair
from perception.shapes.categories import Category


@click.command(
    epilog="Example: blockworld shapes match scan_a.ply scan_b.obj --out matches.npz --picture matches.png"
)
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@CATEGORY
@click.option("--out", type=NewFile(".npz"), help="NPZ file for the matches.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of both shapes, in colours carried from A to B.")
@MODELS
def match(a: Path, b: Path, category: Category, out: Path | None, picture: Path | None, models: Path | None) -> None:
    """Find which point of shape B each point of shape A corresponds to.

    A and B are meshes or clouds, .obj .ply .off .stl .glb .xyz .npy or .npz, in any unit, order and orientation. The
    matches have, for each of the N points of A in the order of its file: `indices` (N,) int64, of points of B, counted
    from 0; `points` (N, 3) float64, where these are, and `residual` (N,) float64, how far the fits of A and B are from
    them there, both in B's unit.
    """
    from perception.shapes.matching import LARGEST_UNLIKE

    pair = fitted_pair(a, b, category, models)
    found = pair.matcher.match(*pair.fits, pair.shapes[1])
    files = {}
    if out is not None:
        files[out] = _packed(indices=found.indices, points=found.points, residual=found.residual)
    if picture is not None:
        files[picture] = _drawn(pair)
    write_files(files)
    for path, fit in zip((a, b), pair.fits, strict=True):
        share = fit.residual.mean() / fit.placement.scale
        click.echo(f"{path}: {len(fit.residual)} points, on average {100 * share:.1f} % of its radius off the template")
        if fit.unlike > LARGEST_UNLIKE:
            click.echo(
                f"warning: {path} hardly looks like a {category}: the nearest one that the network knows is off by "
                f"{100 * fit.unlike:.0f} % of its radius; check --category, and the matches in a --picture",
                err=True,
            )
    written = "".join(f"; {path} written" for path in files)
    click.echo(f"matched {len(found.indices)} points in {pair.duration_s:.0f} s{written}")


def _packed(**arrays: object) -> bytes:
    import io

    import numpy as np

    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _drawn(pair: FittedPair) -> bytes:
    """Both shapes as the template stands; each point of B has the colour of the point of A that it corresponds to."""
    import cv2

    from perception.shapes.picture import Coloured, picture, place_colours
    from perception.shapes.shape import Shape

    standing = [
        Shape(fit.placement.undo(shape.points), shape.faces) for shape, fit in zip(pair.shapes, pair.fits, strict=True)
    ]
    colours = place_colours(standing[0].points)
    back = pair.matcher.match(pair.fits[1], pair.fits[0], pair.shapes[0])
    image = picture([Coloured(standing[0], colours), Coloured(standing[1], colours[back.indices])])
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()
