"""blockworld layers edit: a page on this machine in which a picture's layers are edited."""

import os
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from blockworld.files import NewFile, write_files
from blockworld.layers_options import decomposing, of_colours
from perception.errors import BlockworldError


@click.command("edit", epilog="Example: blockworld layers edit logo.png --layers 10 --open")
@click.argument("source", metavar="PICTURE", type=click.Path(path_type=Path))
@click.option("--save", "place", type=NewFile(".json"),
              help="Where the page saves. [default: the project itself, or PICTURE's name with .json]")  # fmt: skip
@click.option("--size", type=click.IntRange(64, 7680),
              help="Longer side of the masks on the page. [default: the picture's, from 1280 to 3840]")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8718, show_default=True, help="0: any that is free.")
@click.option("--open", "shown", is_flag=True, help="Show the page in the browser of this machine.")
@decomposing
def edit(
    source: Path, place: Path | None, size: int | None, port: int, shown: bool, layers: int | None,
    colours: int | None, effort: str, least_gain: float, model: str, models: Path | None,
) -> None:
    """Serve a page to edit the layers of PICTURE: recolour, order, join, rename, delete, with undo, save and export.

    PICTURE may also be a project, a .json that `blockworld layers decompose` or the page wrote. Nobody but this machine
    can reach the page. Ctrl-C ends it.
    """  # fmt: skip
    try:
        from apps.layers.serving import serve
        from apps.layers.workspace import Settings, Workspace
    except ModuleNotFoundError as error:
        raise BlockworldError(
            f"the page needs the package {error.name}: install the extra with `pip install 'blockworld[layers]'`."
        ) from error
    from perception.layers.network import LayersNetwork
    from perception.layers.picture import read_rgba
    from perception.layers.project import read_project

    settings = Settings(
        model, layers, effort, least_gain, size, lambda network, made: of_colours(network, made, colours)
    )
    save = _saving(source, place)
    workspace = Workspace(lambda name: LayersNetwork.open(name, models), settings, save)
    if source.suffix.lower() == ".json":
        workspace.open_project(source.name, read_project(source), save is not None)
    else:
        workspace.open_picture(source.name, read_rgba(source), save is not None)

    def told(address: str) -> None:
        click.echo(f"the page is at {address}; Ctrl-C ends it")
        if shown:
            webbrowser.open(address)

    serve(workspace, port, told)


def _saving(source: Path, given: Path | None) -> Callable[[bytes], None] | None:
    """What saves a project, or None where its folder cannot be written to. Raises BlockworldError where a project that
    nobody asked to replace is there."""
    place = given or source.with_suffix(".json")
    ours = given is not None or place == source

    def check() -> None:
        if not ours and place.exists():
            raise BlockworldError(f"{place} exists already: edit that, or say where to save with --save FILE.json.")

    def save(content: bytes) -> None:
        nonlocal ours
        check()
        write_files({place: content})
        ours = True

    check()
    return save if os.access(place.parent, os.W_OK) else None
