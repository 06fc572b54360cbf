"""blockworld features search: which model of a folder, and which way turned, does a picture show."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np

from blockworld.features_options import WEIGHTS, renderer, weights_of
from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError

SHOWN, TILE_PX = 5, 256


@click.command("search", epilog="Example: blockworld features search chair.jpg --models meshes --picture found.png")
@click.argument("image", metavar="PICTURE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--models", "folder", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of meshes, z up.",
)  # fmt: skip
@click.option("--adaptation", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Of features adapt.")
@click.option("--network", "name", default="resnet18", show_default=True, help="As for analyze.")
@click.option("--layer", help="By name; default: the last of those that analyze shows.")
@click.option("--size", "size_px", type=click.IntRange(1, 1024), default=160, show_default=True, help="Of pictures.")
@click.option("--most", type=click.IntRange(1, 1000), default=10, show_default=True, help="Models that are given.")
@WEIGHTS
@click.option("--out", type=NewFile(".json"), help="JSON file of the models.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the best models over PICTURE.")
def search(
    image: Path, folder: Path, adaptation: Path | None, name: str, layer: str | None, size_px: int, most: int,
    weights: tuple[tuple[str, Path], ...], out: Path | None, picture: Path | None,
) -> None:
    """Rank the models of a folder for PICTURE, which shows one thing and little around it.

    Printed: score, azimuth and elevation of the view that is most like it, and the file. The score is 0 where it
    is as much alike as the most alike of 256 random windows, and -1 where it is as much as these are in the mean.
    """
    from tqdm import tqdm

    from training.art.pictures import read_picture
    from training.features.adaptation import Adaptation
    from training.features.networks import checked_layers, open_network
    from training.features.search import ModelSearch, meshes_in, overlay

    asked, meshes = read_picture(image).rgb, meshes_in(folder)
    network = open_network(name, weights_of(weights, (name,)).get(name))
    layer = checked_layers(network, (layer,) if layer else (), size_px)[-1]
    phi = Adaptation.load(adaptation, network.name, layer) if adaptation else None
    with renderer() as opened:
        try:
            with tqdm(total=len(meshes), desc="models", leave=False, disable=None) as bar:
                found = ModelSearch(network, layer, opened, meshes, size_px, phi, bar.update).ranked(asked)[:most]
        except ValueError as error:  # of a mesh
            raise BlockworldError(str(error)) from error
        tiles = [overlay(opened, asked, one, TILE_PX) for one in found[:SHOWN]] if picture else []
    rows = [
        {
            "model": one.mesh.removeprefix("file/"),
            "score": one.score,
            "azimuth_deg": float(np.degrees(one.look.azimuth_rad)),
            "elevation_deg": float(np.degrees(one.look.elevation_rad)),
        }
        for one in found
    ]
    files: dict[Path, bytes] = {}
    if out is not None:
        files[out] = (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode()
    if picture is not None:
        from PIL import Image

        from training.art.panels import as_png
        from training.features.search import squared

        files[picture] = as_png(Image.fromarray(np.concatenate([squared(asked, TILE_PX), *tiles], axis=1)))
    write_files(files)
    for rank, row in enumerate(rows, 1):
        click.echo(
            f"{rank:3}  {row['score']:6.3f}  azimuth {row['azimuth_deg']:4.0f}  elevation {row['elevation_deg']:3.0f}  "
            f"{row['model']}"
        )
    click.echo(f"{len(rows)} of {len(meshes)} models" + "".join(f"; {path} written" for path in files))
