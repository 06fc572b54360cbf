"""blockworld layers search: the masks of an index that are most like one of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.files import NewFile, write_files
from blockworld.layers_index_options import BY, INDEX
from blockworld.models_folder import MODELS
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from perception.layers.descriptors import By
    from perception.layers.kept import KeptLayers, LayersStore
    from perception.layers.network import LayersNetwork


@click.command("search", epilog="Example: blockworld layers search logo.png --layer 3 --picture found.png")
@click.argument("source", metavar="PICTURE", type=click.Path(path_type=Path))
@click.option("--layer", required=True, type=click.IntRange(1), help="Whose mask is looked for; 1 is the lowest.")
@INDEX
@BY
@click.option("--most", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Masks that are given.")
@click.option("--out", type=NewFile(".csv", ".json"), help="Table or JSON file for them.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the nearest, beside what was looked for.")
@MODELS
def search(
    source: Path, layer: int, index_dir: Path, by: By, most: int, out: Path | None, picture: Path | None,
    models: Path | None,
) -> None:
    """Find the masks of an index that are most like that of a layer of PICTURE, the nearest first.

    PICTURE need not be of the index; it is decomposed as the index was. It may also be a .json that `blockworld layers
    decompose` wrote. Printed are rank, distance, layer and picture.
    """  # fmt: skip
    from blockworld.layers_found import found_json, found_picture, found_table
    from perception.layers.kept import LayersStore
    from perception.layers.search import MaskIndex

    store, network = LayersStore.opened(index_dir, models)
    masks = MaskIndex.of(store)
    for name in masks.missing:
        click.echo(f"problem: the layers of {name} are damaged or gone: index again.", err=True)
    query, digest = _asked(source, store, network)
    if layer > len(query.made.layers):
        raise BlockworldError(f"{source} has {len(query.made.layers)} layers: give a --layer from 1 to that.")
    hits = masks.ranked(query, layer - 1, by, most, digest)
    files: dict[Path, bytes] = {}
    if out is not None:
        written = found_table(hits, masks) if out.suffix.lower() == ".csv" else (
            found_json(source.name, layer, by, hits, masks))  # fmt: skip
        files[out] = written.encode()
    if picture is not None:
        files[picture] = found_picture(source, query, layer - 1, hits, masks, Path(store.listing().folder))
    write_files(files)
    for rank, one in enumerate(hits, 1):
        click.echo(f"{rank:3}  {one.distance:.3f}  layer {one.entry.layer + 1:<3}  {one.entry.picture}")
    told = "".join(f"; {path} written" for path in files)
    click.echo(f"{len(hits)} of {len(masks.entries)} masks{told}")


def _asked(source: Path, store: LayersStore, network: LayersNetwork) -> tuple[KeptLayers, str]:
    """The layers of a picture or project, and the digest of a picture."""
    from perception.layers.indexing import layers_of
    from perception.layers.kept import KeptLayers
    from perception.layers.project import read_project
    from perception.picture_folder import content_digest

    if source.suffix.lower() == ".json":
        made = read_project(source)
        fits = made.layers and made.parameters.shape[1] == network.manifest.parameters
        if made.network != network.manifest.name or not fits:
            raise BlockworldError(
                f"{source} has no layers of the network {network.manifest.name}, which the index is of: decompose "
                "the picture with that."
            )
        return KeptLayers.of(network, made), ""
    digest = content_digest(source)
    return (store[digest] if digest in store else layers_of(network, source, store.settings)), digest
