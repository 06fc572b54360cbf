"""blockworld layers: pictures as layers of one colour each, that can be edited at any size."""

import click

from blockworld.commands.layers.decompose import decompose
from blockworld.commands.layers.edit import edit
from blockworld.commands.layers.index import index
from blockworld.commands.layers.map import map_
from blockworld.commands.layers.search import search


@click.group(epilog="Example: blockworld layers decompose logo.png --layers 10 --out logo.svg")
def command() -> None:
    """Decompose pictures into layers of one colour each, and edit these."""


command.add_command(decompose)
command.add_command(edit)
command.add_command(index)
command.add_command(map_)
command.add_command(search)
