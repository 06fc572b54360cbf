"""blockworld art evaluate: how well details and pictures of a collection are found, by annotations or by copies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.art_collection import opened
from blockworld.art_options import CACHE, COLLECTION, STANDARDISE, VERIFY, WEIGHTS, training_needed
from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from training.art.protocols import Protocol, Scores


@click.command("evaluate", epilog="Example: blockworld art evaluate scans --planted copies --out scores.json")
@COLLECTION
@click.option(
    "--annotations",
    type=click.Path(path_type=Path, exists=True),
    help="Annotations as those of Brueghel, LTLL or Oxford buildings: a JSON file, or Oxford's folder of text files.",
)
@click.option("--part", type=click.Choice(["test", "val"]), default="test", show_default=True, help="Of LTLL's JSON.")
@click.option(
    "--planted",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the pictures of DIR with details of each other copied into them, which are evaluated instead.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the planted copies.")
@click.option("--group", type=click.IntRange(2), default=5, show_default=True, help="Pictures that share a detail.")
@VERIFY
@click.option("--out", type=NewFile(".json"), help="JSON file for the scores, of each category and query too.")
@WEIGHTS
@STANDARDISE
@CACHE
def evaluate(
    folder: Path, annotations: Path | None, part: str, planted: Path | None, seed: int, group: int, verify: bool,
    out: Path | None, weights: Path | None, standardise: bool, cache: Path | None,
) -> None:
    """Tell how well details are found in the pictures in and below DIR, by annotations or by copies planted in them.

    Pictures that were not indexed yet are indexed first. Boxes are ranked by the cosine and by discovery: mean average
    precision at an overlap (IoU) of more than 0.3. Of LTLL it is the share of queries whose first picture is right, of
    Oxford the mean average precision of pictures.
    """
    if (annotations is None) == (planted is None):
        raise BlockworldError("give either --annotations FILE, or --planted DIR to plant copies: one of the two.")
    with training_needed():
        from training.art.protocols import described, read_protocol
        from training.art.protocols import evaluate as evaluated
    if planted is not None:
        annotations, folder = _planted(folder, planted, seed, group), planted
    assert annotations is not None
    protocol = read_protocol(annotations, part)  # before anything takes long
    collection = opened(folder, weights, cache, standardise)
    scores = evaluated(protocol, collection.named(), verify, progress=True)
    pictures = len(collection.named())
    if out is not None:
        text = json.dumps(described(protocol, pictures, scores), indent=1, ensure_ascii=False) + "\n"
        write_files({out: text.encode()})
    for line in _table(protocol, scores):
        click.echo(line)
    written = f"; {out} written" if out else ""
    click.echo(f"{protocol.kind}: {protocol.queries} queries, {pictures} pictures{written}")


def _planted(folder: Path, out: Path, seed: int, group: int) -> Path:
    """Make the planted copies of a folder's pictures; returns their annotations."""
    from training.art.learning.reading import usable_pictures
    from training.art.planted.collection import PlantedConfig, make_benchmark

    if out.resolve().is_relative_to(folder.resolve()):
        raise BlockworldError(f"{out} is in {folder}, whose pictures copies are made of: name a folder elsewhere.")
    pictures, problems = usable_pictures(folder, progress=True)
    for problem in problems:
        click.echo(f"problem: {problem.sentence}", err=True)
    return make_benchmark(folder, out, PlantedConfig(seed=seed, group=group), [one.path for one in pictures])


def _table(protocol: Protocol, scores: Sequence[Scores]) -> list[str]:
    """In percent: a line for each way to rank, and of detection one for each category."""
    from training.art.metrics import OVERLAP

    names = list(scores[0].measures)
    about = f" (IoU > {OVERLAP:g})" if protocol.kind == "detection" else ""
    rows = [["", *(f"{name}{about}" for name in names)]]
    rows += [[one.method, *(f"{100 * one.measures[name]:.1f}" for name in names)] for one in scores]
    lines = _aligned(rows)
    if scores[0].categories:
        rows = [["category", *(one.method for one in scores)]]
        rows += [
            [name, *(f"{100 * one.categories[name]:.1f}" for one in scores)] for name in scores[0].categories
        ]
        lines += ["", *_aligned(rows), ""]
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join([row[0].ljust(widths[0]), *cells[1:]]) for row, cells in zip(rows, padded, strict=True)]
