"""blockworld art recognize: which class a drawing or a photograph is of, such as a watermark."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.art_options import CACHE, WEIGHTS, training_needed
from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError, ImageError

if TYPE_CHECKING:
    from training.art.recognition.classes import Labelled
    from training.art.recognition.recognizer import Ranked

SHOWN = 12
"""Classes on the picture of them."""


@dataclass(frozen=True)
class Answer:
    """The classes that a picture was given, best first."""

    path: Path
    truth: str | None
    """Where it is known."""
    ranked: Sequence[Ranked]


@click.command("recognize", epilog="Example: blockworld art recognize photo.jpg --references drawings")
@click.argument("query", metavar="IMAGE", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--references", "folder", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with a sub-folder, or one picture, for each class.",
)
@click.option("--most", type=click.IntRange(1, 10_000), default=5, show_default=True, help="Classes that are given.")
@click.option("--out", type=NewFile(".csv", ".json"), help="Table or JSON file for the ranked classes.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the best classes, beside IMAGE.")
@WEIGHTS
@CACHE
def recognize(
    query: Path, folder: Path, most: int, out: Path | None, picture: Path | None, weights: Path | None,
    cache: Path | None,
) -> None:
    """Rank the classes of a folder of references by how well IMAGE, turned or mirrored, fits the best of each.

    IMAGE and the references may be drawings or photographs. Where IMAGE is a folder whose sub-folders are named as the
    classes, all pictures in it are recognized, and it is told how often the true class comes first, and among five.
    """
    if picture is not None and query.is_dir():
        raise BlockworldError("--picture shows one picture's classes: name a picture instead of a folder.")
    with training_needed():
        from perception.picture_folder import shown
        from training.art.backbone import open_backbone
        from training.art.index import index_folder
        from training.art.pictures import read_picture
        from training.art.recognition.classes import check_classes, labelled
        from training.art.recognition.marks import open_marks
        from training.art.recognition.recognizer import ranked_classes
    asked: dict[Path, str | None] = _queries(query) if query.is_dir() else {query: None}
    if not query.is_dir():
        read_picture(query)  # before anything takes long: a picture that is none
    store, extractor = open_marks(open_backbone(weights, standardise=True), cache)
    index = index_folder(folder, store, extractor, progress=True)
    for problem in index.problems:
        click.echo(f"problem: {problem.sentence}", err=True)
    references, conflicts = labelled(index, folder)
    for conflict in conflicts:
        click.echo(f"problem: {conflict.sentence}", err=True)
    check_classes(references, folder)
    labels = [one.label for one in references]
    answers = []
    for path, truth in asked.items():
        try:
            found = ranked_classes(
                extractor.query(read_picture(path)), lambda number: store[references[number].digest], labels
            )
        except ImageError as error:
            if not query.is_dir():
                raise
            click.echo(f"problem: {error}", err=True)
            continue
        answers.append(Answer(path, truth, found))
    files: dict[Path, bytes] = {}
    names = [shown(one.path.relative_to(folder)) for one in references]
    if out is not None:
        written = _table(answers, names, most) if out.suffix.lower() == ".csv" else _json(answers, names, most)
        files[out] = written.encode()
    if picture is not None and answers:
        files[picture] = _drawn(answers[0], references)
    write_files(files)
    if query.is_dir():
        _tell_accuracy(answers, labels, query)
    else:
        for rank, one in enumerate(answers[0].ranked[:most], 1):
            click.echo(f"{rank:3}  {one.score:.3f}  {one.label:<24} {names[one.reference]} ({one.orientation})")
    also = "".join(f"; {path} written" for path in files)
    click.echo(f"{len(set(labels))} classes in {len(references)} references{also}")


def _queries(folder: Path) -> dict[Path, str | None]:
    """The pictures of a folder, with their classes."""
    from perception.picture_folder import picture_files, shown
    from training.art.recognition.classes import label_of

    files, problems = picture_files(folder)
    for problem in problems:
        click.echo(f"problem: {problem.sentence}", err=True)
    if not files:
        raise BlockworldError(f"there is no picture in {shown(folder)}: name a folder of pictures to recognize.")
    return {path: label_of(path, folder) for path in files}


def _tell_accuracy(answers: Sequence[Answer], labels: Sequence[str], folder: Path) -> None:
    from perception.picture_folder import shown
    from training.art.recognition.accuracy import accuracy

    known = [one for one in answers if one.truth in set(labels)]
    for one in answers:
        if one not in known:
            click.echo(f"problem: {shown(one.path)} is of {one.truth}, which is no class of the references.", err=True)
    if not known:
        raise BlockworldError(
            f"no sub-folder of {shown(folder)} is named as a class of the references: name them alike."
        )
    found = accuracy([str(one.truth) for one in known], [[each.label for each in one.ranked] for one in known])
    for name, (count, first, five) in found.per_class.items():
        click.echo(f"{name:<24} {count:4} pictures, top-1 {100 * first:5.1f} %, top-5 {100 * five:5.1f} %")
    click.echo(f"{len(known)} pictures: top-1 {100 * found.top_1:.1f} %, top-5 {100 * found.top_5:.1f} %")


def _rows(answers: Sequence[Answer], names: Sequence[str], most: int) -> list[dict[str, object]]:
    from perception.picture_folder import shown

    return [
        {
            "picture": shown(one.path), "rank": rank, "class": found.label, "score": round(found.score, 4),
            "reference": names[found.reference], "turned_deg": 90 * found.orientation.quarters,
            "mirrored": found.orientation.mirrored,
        }
        for one in answers
        for rank, found in enumerate(one.ranked[:most], 1)
    ]  # fmt: skip


def _table(answers: Sequence[Answer], names: Sequence[str], most: int) -> str:
    file = io.StringIO()
    columns = ("picture", "rank", "class", "score", "reference", "turned_deg", "mirrored")
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        row | {"mirrored": "yes" if row["mirrored"] else "no"} for row in _rows(answers, names, most)
    )
    return file.getvalue()


def _json(answers: Sequence[Answer], names: Sequence[str], most: int) -> str:
    return json.dumps({"results": _rows(answers, names, most)}, indent=1, ensure_ascii=False) + "\n"


def _drawn(answer: Answer, references: Sequence[Labelled]) -> bytes:
    from training.art.panels import Panel, as_png, side_by_side
    from training.art.pictures import Picture, read_picture
    from training.art.recognition.orientations import oriented
    from training.art.retrieval import whole

    asked = oriented(read_picture(answer.path).rgb, answer.ranked[0].orientation)
    size = (asked.shape[1], asked.shape[0])
    panels = []
    for rank, one in enumerate(answer.ranked[:SHOWN], 1):
        found = read_picture(references[one.reference].path)
        panels.append(Panel(found, whole(found.size), (one.label, f"{rank}: {one.score:.3f}")))
    first = Panel(Picture(size, asked), whole(size), (answer.path.name, f"looked for, {answer.ranked[0].orientation}"))
    return as_png(side_by_side(first, panels))
