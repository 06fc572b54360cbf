"""blockworld art browse: a page on this machine to look through a collection."""

import webbrowser
from pathlib import Path

import click

from blockworld.art_options import CACHE, COLLECTION, STANDARDISE, WEIGHTS, training_needed
from perception.errors import BlockworldError


@click.command("browse", epilog="Example: blockworld art browse scans --open")
@COLLECTION
@click.option("--port", type=click.IntRange(0, 65535), default=8717, show_default=True, help="0: any that is free.")
@click.option("--open", "shown", is_flag=True, help="Show the page in the browser of this machine.")
@click.option("--base", default="", help="What comes before names of pictures in annotations, such as https://x.org/.")
@click.option("--least-score", type=click.FloatRange(0, 1), help="Details of a lower score join no pictures.")
@WEIGHTS
@STANDARDISE
@CACHE
def browse(
    folder: Path, port: int, shown: bool, base: str, least_score: float | None, weights: Path | None, standardise: bool,
    cache: Path | None,
) -> None:
    """Serve a page to look through the pictures in and below DIR: draw a box, and see where else its detail is.

    Pictures are indexed while the page is used. Nobody but this machine can reach it. Ctrl-C ends it.
    """
    with training_needed():
        from training.art.backbone import open_backbone
        from training.art.index import open_store
        from training.art.whole_collection import CollectionConfig
    try:
        from apps.patterns.serving import serve
    except ModuleNotFoundError as error:
        raise BlockworldError(
            f"the page needs the package {error.name}: install the extra with `pip install 'blockworld[art]'`."
        ) from error

    def told(address: str) -> None:
        click.echo(f"the page is at {address}; Ctrl-C ends it")
        if shown:
            webbrowser.open(address)

    config = CollectionConfig() if least_score is None else CollectionConfig(least_score=least_score)
    serve(folder, *open_store(open_backbone(weights, standardise), cache), port, told, base, config)
