"""blockworld dataset: build, look at and export data sets of rendered images."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from blockworld.files import NewFile
from perception.errors import BlockworldError

BAR: dict[str, Any] = {"smoothing": 0.05, "delay": 0.2}
"""A bar comes late enough for bad input to be told without one."""

FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group(epilog="Example: blockworld dataset show data/fine")
def command() -> None:
    """Data sets of rendered images with labels: poses, joints, keypoints, depth, segmentation."""


@command.command(
    epilog="Example: blockworld dataset build training/localization/datasets/fine.yaml --out data/fine --workers 2"
)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the shards.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes here that render."
)
@click.option("--ray", metavar="ADDRESS", help="Render on a Ray cluster instead: auto, local or HOST:PORT.")
@click.option("--overwrite", is_flag=True, help="Erase another data set that is in the folder.")
def build(
    config: Path, overrides: tuple[str, ...], out: Path, workers: int, ray: str | None, overwrite: bool
) -> None:
    """Render what CONFIG describes; run it again to go on after an interruption."""
    from tqdm import tqdm

    from perception.configuration import read_configuration
    from sim.dataset import DatasetConfig, present_images
    from sim.dataset import build as build_images

    settings = read_configuration(DatasetConfig, config, overrides)
    begin, count = time.monotonic(), 0
    with _sentences():
        there = 0 if overwrite else present_images(settings, out)
        with tqdm(total=settings.images, initial=there, unit="image", desc=out.name, **BAR) as bar:

            def notice(sentence: str) -> None:
                bar.write(f"blockworld: {sentence}")

            try:
                for images in build_images(settings, out, workers, ray, overwrite, notice):
                    count += images
                    bar.update(images)
            except KeyboardInterrupt:
                bar.write(f"blockworld: {count} images are kept; run the same command to go on.")
                raise
    rate = count / (time.monotonic() - begin)
    done = f"{count} images at {rate:.1f} images/s" if count else "nothing was missing"
    click.echo(f"{out}: {done}, {settings.images} in all")


@command.command(epilog="Example: blockworld dataset show data/fine --images 100")
@FOLDER
@click.option(
    "--out", type=NewFile(".html", ".htm"), help="Page to write [FOLDER/contact_sheet.html]."
)
@click.option("--images", default=300, show_default=True, type=click.IntRange(1, 5000), help="Images to show.")
def show(folder: Path, out: Path | None, images: int) -> None:
    """Write a web page with images of a data set and their labels drawn in."""
    from sim.dataset.contact_sheet import write_contact_sheet

    page = out or folder / "contact_sheet.html"
    with _sentences():
        try:
            count = write_contact_sheet(folder, page, images)
        except OSError as error:
            raise BlockworldError(f"cannot write {page}: {error.strerror}.") from error
    click.echo(f"{page}: {count} images")


@command.command(epilog="Example: blockworld dataset export data/fine --format coco --out fine_coco")
@FOLDER
@click.option("--format", "name", required=True, type=click.Choice(["bop", "coco"]), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder for it.")
def export(folder: Path, name: str, out: Path) -> None:
    """Copy a data set into a format that other tools read."""
    from tqdm import tqdm

    from sim.dataset.export import export as export_images

    with _sentences(), tqdm(unit="image", desc=out.name, **BAR) as bar:
        try:
            count = export_images(folder, name, out, bar.update)
        except OSError as error:
            raise BlockworldError(f"cannot write {out}: {error.strerror}; nothing was exported.") from error
    click.echo(f"{out}: {count} images as {name}")


@contextmanager
def _sentences() -> Iterator[None]:
    """Turns the library's errors into those that are shown as one sentence."""
    from sim.dataset import DiskFullError, WorkerError

    try:
        yield
    except (ValueError, DiskFullError, WorkerError, ModuleNotFoundError) as error:
        raise BlockworldError(str(error)) from error
