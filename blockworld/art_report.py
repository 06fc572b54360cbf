"""The report of `blockworld art discover`: a folder with a page, its pictures, and files for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from blockworld.files import write_files
from perception.errors import BlockworldError, reason

if TYPE_CHECKING:
    from training.art.clusters import Cluster

PAGE, DATA, TABLE, ANNOTATIONS, PICTURES = "index.html", "details.json", "details.csv", "annotations.json", "pictures"
SIDE_PX = 320
MOST_MEMBERS = 60
"""Of a detail, that the page shows pictures of; the tables have all."""


@dataclass(frozen=True)
class Tile:
    """One member of a cluster as the page shows it."""

    file: str
    name: str
    box: str


@dataclass(frozen=True)
class Shown:
    """One cluster."""

    score: float
    tiles: tuple[Tile, ...]
    pictures: int


def check_folder(out: Path) -> None:
    """Raises BlockworldError where the folder holds something else than a report, or cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()) and not (out / DATA).is_file():
            raise BlockworldError(f"{out} holds something else than a report: name an empty folder.")
    except OSError as error:
        raise BlockworldError(f"cannot write to {out} ({reason(error.strerror)}): name another folder.") from error


def write_report(
    clusters: Sequence[Cluster], pictures: Mapping[str, tuple[str, Path]], folder: Path, out: Path, base: str = ""
) -> Path:
    """Write the report; returns its page. pictures: name and file by key; base: before names in annotations.

    What an earlier report had is written over. Raises BlockworldError where that fails.
    """
    from training.art.exports import cluster_annotations, cluster_json, cluster_table

    names = {key: name for key, (name, _) in pictures.items()}
    check_folder(out)
    shown, files = _pictures(clusters, pictures)
    try:
        (out / PICTURES).mkdir(exist_ok=True)
        for old in (out / PICTURES).glob("*.jpg"):
            old.unlink()
    except OSError as error:
        raise BlockworldError(f"cannot write to {out} ({reason(error.strerror)}): name another folder.") from error
    for name, content in files.items():
        write_files({out / PICTURES / name: content})
    environment = Environment(
        loader=PackageLoader("blockworld", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("art_report.html.j2").render(
        folder=folder.resolve().name, details=shown, pictures=len(pictures), data=DATA, table=TABLE,
        annotations=ANNOTATIONS, folder_of_pictures=PICTURES,
    )
    write_files(
        {
            out / DATA: _json(cluster_json(clusters, names)),
            out / TABLE: cluster_table(clusters, names).encode(),
            out / ANNOTATIONS: _json(cluster_annotations(clusters, names, base)),
            out / PAGE: page.encode(),
        }
    )
    return out / PAGE


def _pictures(
    clusters: Sequence[Cluster], pictures: Mapping[str, tuple[str, Path]]
) -> tuple[list[Shown], dict[str, bytes]]:
    """The clusters as they are shown, and the pictures of their members; those that cannot be read again are left
    out."""
    from perception.errors import ImageError
    from training.art.panels import CONTEXT, as_jpeg, cut_out
    from training.art.pictures import read_picture

    wanted: dict[str, list[tuple[int, int]]] = {}
    for number, cluster in enumerate(clusters):
        for which, member in enumerate(cluster.members[:MOST_MEMBERS]):
            wanted.setdefault(member.picture, []).append((number, which))
    files, tiles = {}, {}
    for key, places in wanted.items():
        name, path = pictures[key]
        try:
            picture = read_picture(path)  # once for all of its details
        except ImageError:
            continue
        for number, which in places:
            box = clusters[number].members[which].box
            file = f"{number + 1:04}-{which + 1:03}.jpg"
            files[file] = as_jpeg(cut_out(picture, box, SIDE_PX, CONTEXT))
            tiles[number, which] = Tile(file, name, ", ".join(f"{one:.0f}" for one in box))
    shown = [
        Shown(
            one.details[0].score,
            tuple(tiles[number, which] for which in range(len(one.members)) if (number, which) in tiles),
            len(one.members),
        )
        for number, one in enumerate(clusters)
    ]
    return shown, files


def _json(what: object) -> bytes:
    return (json.dumps(what, indent=1, ensure_ascii=False) + "\n").encode()
