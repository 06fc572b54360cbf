"""blockworld shapes interpolate: shapes between two."""

from pathlib import Path

import click

from blockworld.atlas_inputs import MODEL, POINTS, encoded, kind_of, network_for
from blockworld.commands.shapes.reconstruct import drawn
from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS
from blockworld.shape_pairs import FILE
from blockworld.up_axis import UP, upright


@click.command("interpolate", epilog="Example: blockworld shapes interpolate a.png b.png --steps 5 --picture steps.png")
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@click.option("--steps", default=5, show_default=True, type=click.IntRange(2, 100), help="Shapes, A and B among them.")
@click.option("--out", type=NewFile(".glb", ".ply"), help="Files for the meshes: F.glb gives F-0.glb, F-1.glb, ...")
@click.option("--picture", type=NewFile(".png"), help="PNG file of all of them, from both sides.")
@POINTS
@click.option("--up", default="z", show_default=True, type=click.Choice(UP), help="Axis of the files that is up.")
@click.option("--facing-x", is_flag=True, help="Meshes or clouds face +x already: do not search which way they do.")
@MODEL
@MODELS
def interpolate(
    a: Path, b: Path, steps: int, out: Path | None, picture: Path | None, points: int, up: str, facing_x: bool,
    model: str | None, models: Path | None,
) -> None:
    """Go from the shape in A to the one in B in even steps of the network's latent vector.

    A and B are two pictures, or two meshes or clouds. All shapes lie in the unit ball, z up, facing +x, and have the
    same triangles, so that a vertex is followed from one to the next.
    """  # fmt: skip
    import numpy as np
    from tqdm import tqdm

    from perception.errors import BlockworldError
    from perception.shapes.atlas.meshes import mesh_file
    from perception.shapes.atlas.reconstruction import reconstruct

    network = network_for(a, model, models)
    if kind_of(b) != network.manifest.input:
        raise BlockworldError(f"{a} and {b} are a picture and a cloud: give two of one kind.")
    ends = [encoded(network, path, not facing_x, upright(up)).latent for path in (a, b)]
    shares = tqdm(np.linspace(0, 1, steps), "shapes", disable=None)
    atlases = [reconstruct(network, (1 - share) * ends[0] + share * ends[1], points) for share in shares]
    files: dict[Path, bytes] = {}
    if out is not None:
        ending = out.suffix.lower()
        for number, atlas in enumerate(atlases):
            files[out.with_name(f"{out.stem}-{number}{ending}")] = mesh_file(atlas, ending)[ending]
    if picture is not None:
        files[picture] = drawn(atlases)
    write_files(files)
    moved = np.linalg.norm(atlases[0].points - atlases[-1].points, axis=1).mean()
    click.echo(f"{steps} shapes of {len(atlases[0].points)} points, which move by {moved:.2f} radii from A to B")
    for path in files:
        click.echo(f"{path} written")
