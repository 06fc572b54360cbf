"""Two shapes of a category from files, fitted by its network: what the commands of `blockworld shapes` begin with."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.models_folder import folder_of
from perception.shapes.categories import CATEGORIES, Category

if TYPE_CHECKING:
    from perception.shapes.matching import Fit, Matcher
    from perception.shapes.shape import Shape

FILE = click.Path(path_type=Path)
CATEGORY = click.option(
    "--category",
    type=click.Choice(CATEGORIES),
    default="human",
    show_default=True,
    help="What both shapes are.",
)


@dataclass(frozen=True, eq=False)
class FittedPair:
    """Two shapes and their fits, by one matcher, and how long that took."""

    matcher: "Matcher"
    shapes: "tuple[Shape, Shape]"
    fits: "tuple[Fit, Fit]"
    duration_s: float


def fitted_pair(first: Path, second: Path, category: Category, models: Path | None) -> FittedPair:
    """Reads and fits both shapes, under a bar that tells how far it is; raises BlockworldError."""
    from tqdm import tqdm

    from perception.shapes.deformation import DeformationNetwork
    from perception.shapes.matching import Matcher
    from perception.shapes.reading import read_shape

    folder = folder_of(models)
    shapes = read_shape(first), read_shape(second)
    matcher = Matcher(DeformationNetwork.open(category, folder))
    begin = time.monotonic()
    with tqdm(total=100, unit="%", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}", disable=None) as bar:

        def fitted(shape: "Shape", path: Path, done: int) -> "Fit":
            def progress(part: float, what: str) -> None:
                bar.set_description(f"{what} {path.name}", refresh=False)
                bar.update(done + 50 * part - bar.n)

            return matcher.fit(shape, progress)

        fits = fitted(shapes[0], first, 0), fitted(shapes[1], second, 50)
    return FittedPair(matcher, shapes, fits, time.monotonic() - begin)
