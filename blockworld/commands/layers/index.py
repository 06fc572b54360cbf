"""blockworld layers index: the layers of all pictures of a folder, to search in."""

from pathlib import Path

import click

from blockworld.models_folder import MODELS
from perception.errors import BlockworldError


@click.command("index", epilog="Example: blockworld layers index icons --out index")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=Path("index"), show_default=True,
              help="Folder for the index.")  # fmt: skip
@click.option("--layers", type=click.IntRange(1, 256), help="How many layers. [default: as in the network's training]")
@click.option("--effort", default="good", show_default=True, type=click.Choice(["fast", "good", "best"]),
              help="As for `blockworld layers decompose`.")  # fmt: skip
@click.option("--model", default="layers_flat", show_default=True, help="Bundle to use.")
@MODELS
def index(folder: Path, out: Path, layers: int | None, effort: str, model: str, models: Path | None) -> None:
    """Decompose all pictures in and below DIR into layers, and keep their masks.

    Interrupted, it goes on where it stopped; pictures that were indexed before, under any name, are not looked at
    again. A picture that cannot be used is told, and the others are indexed.
    """
    from blockworld.layers_index_options import tell_of_files
    from perception.layers.decompose import EFFORTS, checked
    from perception.layers.indexing import index_folder
    from perception.layers.kept import LayersStore, Settings
    from perception.layers.network import LayersNetwork
    from perception.picture_folder import shown

    network = LayersNetwork.open(model, models)
    checked(network, layers, EFFORTS[effort])  # before a picture fails for it
    store = LayersStore(out, network, Settings(network=network.manifest.name, layers=layers, effort=effort))  # type: ignore[arg-type]
    found = index_folder(folder, store, network, progress=True)
    tell_of_files(found)
    if not found.pictures:
        raise BlockworldError(f"there is no picture that can be used in {shown(folder)}: name a folder of pictures.")
    reused = len(found.pictures) - found.made
    click.echo(
        f"pictures: {found.made} indexed, {reused} reused, {len(found.duplicates)} duplicate, "
        f"{len(found.problems)} with problems; layers in {out}"
    )
