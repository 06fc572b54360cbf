"""blockworld dataset: build data sets of rendered images."""

import time
from pathlib import Path

import click

from perception.errors import BlockworldError


@click.group()
def command() -> None:
    """Data sets of rendered images with the pixels of their keypoints."""


@command.command(
    epilog="Example: blockworld dataset build training/localization/datasets/fine.yaml --out data/fine --workers 2"
)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the shards.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes that render."
)
def build(config: Path, overrides: tuple[str, ...], out: Path, workers: int) -> None:
    """Render what CONFIG describes; run it again to go on after an interruption."""
    from tqdm import tqdm

    from perception.configuration import read_configuration
    from sim.dataset import DatasetConfig
    from sim.dataset import build as build_shards

    settings = read_configuration(DatasetConfig, config, overrides)
    begin, count = time.monotonic(), 0
    try:
        with tqdm(unit="image", desc=out.name) as bar:
            for images in build_shards(settings, out, workers):
                count += images
                bar.update(images)
    except ValueError as error:
        raise BlockworldError(str(error)) from error
    seconds = time.monotonic() - begin
    done = f"{count} images at {count / seconds:.1f} images/s" if count else "nothing was missing"
    click.echo(f"{out}: {done}, {settings.scenes * settings.views} in all")
