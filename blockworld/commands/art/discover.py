"""blockworld art discover: the details that pictures of a collection have in common."""

from pathlib import Path

import click

from blockworld.art_collection import opened
from blockworld.art_options import CACHE, COLLECTION, RAY, STANDARDISE, WEIGHTS, cluster_at, notice
from perception.errors import BlockworldError


@click.command("discover", epilog="Example: blockworld art discover scans --out report")
@COLLECTION
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the report: a page, its pictures, JSON, a table, and annotations for IIIF viewers.",
)
@click.option("--neighbours", type=click.IntRange(1), help="Compare each picture with so many of its nearest.")
@click.option("--least-score", type=click.FloatRange(0, 1), help="Details of a lower score join no pictures.")
@click.option("--least-pictures", type=click.IntRange(2), help="Details in fewer pictures are left out.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that compare.")
@click.option("--base", default="", help="What comes before names of pictures in annotations, such as https://x.org/.")
@WEIGHTS
@STANDARDISE
@CACHE
@RAY
def discover(
    folder: Path, out: Path, neighbours: int | None, least_score: float | None, least_pictures: int | None,
    workers: int, base: str, weights: Path | None, standardise: bool, cache: Path | None, address: str | None,
) -> None:
    """Find the details that three pictures or more in and below DIR have in common.

    Pictures that were not indexed yet are indexed first. Interrupted, it goes on where it stopped. On a cluster, all
    machines have to see the cache under the same path.
    """
    from blockworld.art_report import check_folder, write_report

    if address is not None and workers != 1:
        raise BlockworldError(
            f"--workers {workers} are processes of this machine, and --ray {address} compares on those of a cluster: "
            "give one of the two."
        )
    check_folder(out)
    cluster = None if address is None else cluster_at(address)
    collection = opened(folder, weights, cache, standardise, cluster)

    from training.art.whole_collection import JOURNALS, CollectionConfig, Work

    gallery = collection.gallery
    if len(gallery) < 2:
        raise BlockworldError(f"{folder} has one picture that can be used: details are what several have in common.")
    given = {"neighbours": neighbours, "least_score": least_score, "least_pictures": least_pictures}
    config = CollectionConfig(**{name: one for name, one in given.items() if one is not None})  # type: ignore[arg-type]
    work = Work.of(gallery, collection.store.folder / JOURNALS, config, progress=True)
    if cluster is None:
        details = work.details(gallery.features, workers, progress=True)
    else:
        from training.art.on_ray import comparing_on

        details = work.details(gallery.features, comparing_on(cluster, collection.store, notice), progress=True)
    found = work.clusters(details)
    named = zip(collection.names, collection.paths, strict=True)
    page = write_report(found, dict(zip(gallery.keys, named, strict=True)), folder, out, base)
    counted = "1 detail" if len(found) == 1 else f"{len(found)} details"
    click.echo(
        f"{counted} in {config.least_pictures} pictures or more, of {len(gallery)} pictures and "
        f"{len(work.pairs)} pairs; {page} written"
    )
