"""blockworld art index: features of all pictures of a folder."""

from pathlib import Path

import click

from blockworld.art_collection import indexing
from blockworld.art_options import CACHE, COLLECTION, RAY, STANDARDISE, WEIGHTS, cluster_at, training_needed
from perception.errors import BlockworldError


@click.command("index", epilog="Example: blockworld art index scans --cache features")
@COLLECTION
@WEIGHTS
@STANDARDISE
@CACHE
@RAY
def index(
    folder: Path, weights: Path | None, standardise: bool, cache: Path | None, address: str | None
) -> None:  # fmt: skip
    """Compute the features of all pictures in and below DIR and keep them.

    Interrupted, it goes on where it stopped; pictures that were indexed before, under any name, are not computed again.
    A picture that cannot be used is told, and the others are indexed. On a cluster, machines need not share a folder.
    """
    with training_needed():
        from perception.picture_folder import shown
        from training.art.backbone import open_backbone
        from training.art.index import index_folder, open_store
    cluster = None if address is None else cluster_at(address)
    store, extractor = open_store(open_backbone(weights, standardise), cache)
    found = index_folder(folder, store, extractor, progress=True, run=indexing(cluster))
    for duplicate in found.duplicates:
        click.echo(f"duplicate: {shown(duplicate.path)} is the same as {shown(duplicate.of)}")
    for problem in found.problems:
        click.echo(f"problem: {problem.sentence}")
    if not found.pictures:
        raise BlockworldError(f"there is no picture that can be used in {shown(folder)}: name a folder of scans.")
    reused = len(found.pictures) - found.made
    click.echo(
        f"pictures: {found.made} indexed, {reused} reused, {len(found.duplicates)} duplicate, "
        f"{len(found.problems)} with problems; features in {store.folder} by {extractor.engine}"
    )
