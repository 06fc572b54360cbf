"""Options that commands about an index of layers share, and what came of a folder in words."""

from pathlib import Path

import click

from perception.folder_index import Index
from perception.picture_folder import shown

INDEX = click.option(
    "--index", "index_dir", type=click.Path(path_type=Path), default=Path("index"), show_default=True,
    help="Folder that `blockworld layers index` made.",
)  # fmt: skip
BY = click.option(
    "--by", default="shape", show_default=True, type=click.Choice(["shape", "turned", "parameters"]),
    help="shape: wherever it is, in any size. turned: in any orientation too. parameters: l2 of the masks' parameters.",
)  # fmt: skip


def tell_of_files(found: Index) -> None:
    """A line for each duplicate and each problem."""
    for duplicate in found.duplicates:
        click.echo(f"duplicate: {shown(duplicate.path)} is the same as {shown(duplicate.of)}")
    for problem in found.problems:
        click.echo(f"problem: {problem.sentence}")
