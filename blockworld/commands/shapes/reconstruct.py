"""blockworld shapes reconstruct: a mesh from a picture, a drawing, a mesh or a cloud."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.atlas_inputs import MODEL, POINTS, AtlasInput, encoded, network_for
from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS
from blockworld.shape_pairs import FILE
from blockworld.up_axis import UP, upright
from perception.errors import BlockworldError

if TYPE_CHECKING:
    import numpy as np

    from perception.shapes.atlas.network import AtlasNetwork
    from perception.shapes.atlas.reconstruction import Atlas
    from perception.shapes.shape import Shape

SURFACES = ("charts", "stitched", "closed")


@click.command(
    "reconstruct", epilog="Example: blockworld shapes reconstruct chair.png --out chair.glb --picture result.png"
)
@click.argument("source", metavar="PICTURE_OR_CLOUD", type=FILE)
@click.option("--out", type=NewFile(".glb", ".obj", ".ply"), help="File for the mesh; .ply for a network of points.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the mesh from both sides, a colour for each chart.")
@POINTS
@click.option(
    "--surface", default="charts", show_default=True, type=click.Choice(SURFACES),
    help="Charts as they are; stitched, where they nearly touch; closed, by Poisson reconstruction; as .ply.",
)
@click.option("--up", default="z", show_default=True, type=click.Choice(UP), help="Axis of a mesh or cloud that is up.")
@click.option("--facing-x", is_flag=True, help="A mesh or cloud faces +x already: do not search which way it does.")
@MODEL
@MODELS
def reconstruct(
    source: Path, out: Path | None, picture: Path | None, points: int, surface: str, up: str, facing_x: bool,
    model: str | None, models: Path | None,
) -> None:
    """Reconstruct the surface of the thing in PICTURE_OR_CLOUD as an atlas of charts.

    A picture shows one thing on any background, as a photograph or as a line drawing; what is transparent is left out.
    From a picture the mesh lies in the unit ball, z up, facing +x; from a mesh or cloud it lies where that is.
    A .glb or .obj has one chart beside the other in its texture, a .ply the charts' colours.
    """  # fmt: skip
    from perception.shapes.atlas.meshes import mesh_file
    from perception.shapes.atlas.reconstruction import reconstruct as reconstructed
    from perception.shapes.writing import ply

    if surface != "charts" and out is not None and out.suffix.lower() != ".ply":
        raise BlockworldError(f"a {surface} surface has no charts, which a {out.suffix} is for: write a .ply.")
    network = network_for(source, model, models)
    given = encoded(network, source, not facing_x, upright(up))
    atlas = reconstructed(network, given.latent, points, given.placement)
    files: dict[Path, bytes] = {}
    if out is not None and surface != "charts":
        whole = _whole(surface, network, given, atlas)
        files[out] = ply(whole, _near(atlas, whole))
    elif out is not None:
        for ending, content in mesh_file(atlas, out.suffix.lower()).items():
            path = out if ending == out.suffix.lower() else out.with_suffix(ending)
            files[path] = content.replace(b"NAME.", out.stem.encode() + b".") if ending in (".obj", ".mtl") else content
    if picture is not None:
        files[picture] = drawn([atlas], upright(up) if given.placement is not None else None)
    write_files(files)
    charts, triangles = network.manifest.charts, 0 if atlas.faces is None else len(atlas.faces)
    click.echo(f"{source}: {len(atlas.points)} points and {triangles} triangles on {charts} charts")
    for path in files:
        click.echo(f"{path} written")


def drawn(atlases: "list[Atlas]", T_up_file: "np.ndarray | None" = None) -> bytes:
    """PNG of reconstructions side by side, from both sides, in the colours of their charts."""
    import cv2
    import numpy as np

    from perception.shapes.atlas.meshes import colours_of
    from perception.shapes.picture import Coloured, picture
    from perception.shapes.shape import Shape

    turn = np.eye(3) if T_up_file is None else T_up_file[:3, :3]
    shown = [Coloured(Shape(one.points @ turn.T, one.faces), colours_of(one)) for one in atlases]
    return cv2.imencode(".png", picture(shown)[..., ::-1])[1].tobytes()


def _whole(surface: str, network: "AtlasNetwork", given: AtlasInput, atlas: "Atlas") -> "Shape":
    """One surface in place of charts; raises ShapeError."""
    from perception.shapes.atlas.poisson import closed, closed_atlas
    from perception.shapes.atlas.stitching import stitched

    if surface == "stitched":
        return stitched(atlas)
    if network.manifest.structure != "points_normals":
        return closed_atlas(atlas)
    normals = network.normals(given.latent[None]).reshape(-1, 3).astype(float)
    return closed(atlas.points, normals if given.placement is None else normals @ given.placement.turn)


def _near(atlas: "Atlas", whole: "Shape") -> "np.ndarray":
    """The colour of each point of a stitched mesh: that of the atlas's nearest point."""
    from scipy.spatial import cKDTree

    from perception.shapes.atlas.meshes import colours_of

    return colours_of(atlas)[cKDTree(atlas.points).query(whole.points)[1]]
