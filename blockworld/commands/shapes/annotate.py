"""blockworld shapes annotate: grasps of a procedural object, tried in physics."""

from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError


@click.command("annotate", epilog="Example: blockworld shapes annotate mug --seed 7 --index 0 --out mug.npz")
@click.argument("category")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Series of shapes.")
@click.option("--index", default=0, show_default=True, type=click.IntRange(0), help="Shape of the series.")
@click.option("--grasps", default=48, show_default=True, type=click.IntRange(1, 1000), help="Grasps at most.")
@click.option("--tries", default=5, show_default=True, type=click.IntRange(1, 100), help="Tries of each at most.")
@click.option("--out", required=True, type=NewFile(".npz"), help="File of the annotated object, .npz.")
def annotate(category: str, seed: int, index: int, grasps: int, tries: int, out: Path) -> None:
    """Sample grasps of an object of CATEGORY and try each in PyBullet: lift, hold, shake.

    CATEGORY: mug, cup, bowl, bottle, pan or hammer. The file holds the object's mesh, and of each grasp its pose, its
    opening, how often it was tried and how often it went well.
    """
    from tqdm import tqdm

    try:
        from sim import annotation
        from sim.shapes import make

        with tqdm(total=grasps, unit=" grasps", desc=f"annotate {category}", disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            made = annotation.annotate(make(category, seed, index), seed, grasps, tries, show)
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    write_files({out: made.to_bytes()})
    rates = made.grasps.success_rate
    click.echo(f"{out}: {len(rates)} grasps, {(rates >= 0.8).sum()} of them good in 4 of 5 tries or more")
