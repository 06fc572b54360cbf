"""blockworld layers map: all masks of an index on a page, similar ones near each other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.files import NewFile, write_files
from blockworld.layers_index_options import BY, INDEX
from blockworld.models_folder import MODELS
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from perception.layers.descriptors import By


@click.command("map", epilog="Example: blockworld layers map --index index --out map.html")
@INDEX
@BY
@click.option("--out", required=True, type=NewFile(".html"), help="Page to write.")
@click.option("--most", type=click.IntRange(3, 20_000), default=4000, show_default=True,
              help="Masks that are shown, of more evenly spread ones.")  # fmt: skip
@MODELS
def map_(index_dir: Path, by: "By", out: Path, most: int, models: Path | None) -> None:
    """Write a page with the masks of an index, by t-SNE.

    The page needs nothing else: masks are where those like them are, pointing at one shows its picture, and a click
    shows the masks most like it. It takes the extra `maps`.
    """
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        raise BlockworldError("a map takes scikit-learn: install it with pip install 'blockworld[maps]'.")
    from blockworld.layers_map import chosen, page
    from perception.layers.kept import LayersStore
    from perception.layers.search import MaskIndex

    store, _ = LayersStore.opened(index_dir, models)
    masks = MaskIndex.of(store)
    for name in masks.missing:
        click.echo(f"problem: the layers of {name} are damaged or gone: index again.", err=True)
    some = chosen(masks, by, most)
    text = page(masks, some, by, Path(store.listing().folder), lambda what: click.echo(what, err=True))
    write_files({out: text.encode()})
    click.echo(f"{len(some)} of {len(masks.entries)} masks on {out}")
