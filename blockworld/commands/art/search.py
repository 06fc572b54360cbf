"""blockworld art search: where else in a collection is what a picture, or a box of it, shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockworld.art_collection import Opened, opened
from blockworld.art_options import CACHE, STANDARDISE, VERIFY, WEIGHTS
from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from training.art.exports import Hit, Place
    from training.art.features import Features
    from training.art.search import Detection

SHOWN = 12
"""Matches on the picture of them."""


class BoxType(click.ParamType):
    """x,y,w,h in px."""

    name = "x,y,w,h"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """See click.ParamType."""
        try:
            numbers = tuple(float(one) for one in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != 4:
            self.fail(f"{value!r} is not x,y,w,h: give four numbers, px of the upright picture.", param, ctx)
        return numbers


@click.command("search", epilog="Example: blockworld art search scans/a.jpg --box 120,80,200,260 --picture matches.png")
@click.argument("image", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--box", type=BoxType(), help="What is looked for, px from the left upper corner; default: all of it.")
@click.option(
    "--collection",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the pictures that are looked through; default: that of IMAGE.",
)
@click.option("--most", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Matches that are given.")
@VERIFY
@click.option("--mirrored", is_flag=True, help="Find it turned left to right too, as in prints.")
@click.option("--out", type=NewFile(".csv", ".json"), help="Table or JSON file for the matches.")
@click.option("--annotations", type=NewFile(".json"), help="File for the matches as annotations for IIIF viewers.")
@click.option("--base", default="", help="What comes before names of pictures in annotations, such as https://x.org/.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the best matches, beside what was looked for.")
@WEIGHTS
@STANDARDISE
@CACHE
def search(
    image: Path, box: tuple[float, ...] | None, folder: Path | None, most: int, verify: bool, mirrored: bool,
    out: Path | None, annotations: Path | None, base: str, picture: Path | None, weights: Path | None,
    standardise: bool, cache: Path | None,
) -> None:
    """Find what a box of IMAGE shows in all pictures of a collection, best first.

    Without a box, pictures are ranked by what each has in common with IMAGE. Pictures that were not indexed yet are
    indexed first. IMAGE need not be of the collection. Printed for each match: its box x,y,w,h in px of the upright
    picture, its score, and the picture. The score is the cosine of the features; where one affine map explains a match,
    1 and the score of that.
    """
    # Before anything takes long: a box that is wrong.
    from perception.picture_folder import content_digest
    from training.art.boxes import checked_box
    from training.art.pictures import read_picture

    asked, key = read_picture(image), content_digest(image)
    if box is not None:
        checked_box(box, asked.size)
    elif mirrored:
        raise BlockworldError("--mirrored looks for a box: give --box too.")
    collection = opened(folder or image.parent, weights, cache, standardise)

    from training.art.exports import Place, hits, search_annotations, search_json, search_table
    from training.art.mirrored import Sides, mirrored_picture, search_both
    from training.art.regions import Region
    from training.art.retrieval import retrieve, whole
    from training.art.search import SearchConfig

    features = _features(collection, key, image)
    config = SearchConfig(verified=max(SearchConfig().verified, most))
    region = None if box is None else Region.of(features, box)
    place = whole(asked.size) if region is None else region.box
    if region is None:
        others = [number for number, other in enumerate(collection.gallery.keys) if other != key]
        found = retrieve(features, collection.gallery, others, verify=verify)
    elif mirrored:
        sides = Sides(features, collection.extractor.features(mirrored_picture(asked)))
        found = search_both(collection.gallery, sides, place, key, config, verify)
    else:
        found = collection.gallery.search(region, key, config, verify)
    collection.gallery.keep()
    ranked, query = hits(found[:most], collection.names), Place(image.name, place)
    files: dict[Path, bytes] = {}
    if out is not None:
        text = search_table(ranked) if out.suffix.lower() == ".csv" else _json(search_json(query, ranked))
        files[out] = text.encode()
    if annotations is not None:
        files[annotations] = _json(search_annotations(query, ranked, base)).encode()
    if picture is not None:
        files[picture] = _drawn(image, query, collection, found, ranked)
    write_files(files)
    for rank, one in enumerate(ranked, 1):
        where = ",".join(f"{value:.0f}" for value in one.place.box)
        how = ("verified" if one.verified else "alike") + (", mirrored" if one.mirrored else "")
        click.echo(f"{rank:3}  {one.score:.3f}  {how:<{18 if mirrored else 8}}  {where:<20} {one.place.picture}")
    written = "".join(f"; {path} written" for path in files)
    click.echo(f"{len(ranked)} matches in {len(collection.gallery)} pictures{written}")


def _features(collection: Opened, key: str, image: Path) -> Features:
    """Of the picture asked about, which may not be of the collection."""
    from training.art.pictures import read_picture

    if key not in collection.store:
        collection.store.put(key, collection.extractor.features(read_picture(image)))
    return collection.gallery.features[key]


def _json(what: dict[str, Any]) -> str:
    return json.dumps(what, indent=1, ensure_ascii=False) + "\n"


def _how(hit: Hit) -> str:
    return (", verified" if hit.verified else "") + (", mirrored" if hit.mirrored else "")


def _drawn(image: Path, query: Place, collection: Opened, found: list[Detection], ranked: list[Hit]) -> bytes:
    from training.art.panels import Panel, as_png, side_by_side
    from training.art.pictures import read_picture

    panels = [
        Panel(
            read_picture(collection.paths[one.picture]),
            one.box,
            (hit.place.picture, f"{rank}: {hit.score:.3f}{_how(hit)}"),
        )
        for rank, (one, hit) in enumerate(zip(found[:SHOWN], ranked, strict=False), 1)
    ]
    return as_png(side_by_side(Panel(read_picture(image), query.box, (query.picture, "looked for")), panels))
