"""blockworld shapes index: the index of a folder of annotated objects."""

from pathlib import Path

import click

from blockworld.files import write_files
from blockworld.models_folder import MODELS, folder_of
from perception.shapes.categories import OBJECTS, Category


@click.command("index", epilog="Example: blockworld shapes index mug")
@click.argument("category", type=click.Choice(OBJECTS))
@MODELS
def index(category: Category, models: Path | None) -> None:
    """Fit all annotated objects of CATEGORY in models/exemplars/CATEGORY and keep the fits in its index.

    Grasps are transferred without it too, but then each object is fitted again whenever they are.
    """
    from tqdm import tqdm

    from perception.exemplar_library import INDEX_FILE, ExemplarLibrary
    from perception.shapes.deformation import DeformationNetwork
    from perception.shapes.matching import Matcher

    folder = folder_of(models) / "exemplars" / category
    matcher = Matcher(DeformationNetwork.open(category, folder_of(models)))
    with tqdm(total=100, unit="%", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}", disable=None) as bar:
        bar.set_description(f"fitting {category}s")
        library = ExemplarLibrary.open(folder, matcher, lambda part: bar.update(100 * part - bar.n) and None)
    write_files({folder / INDEX_FILE: library.index(folder, matcher)})
    click.echo(f"{folder / INDEX_FILE}: {len(library.exemplars)} objects")
