"""blockworld layers: pictures as layers of one colour each, that can be edited at any size."""

import click

from blockworld.commands.layers.decompose import decompose
from blockworld.commands.layers.edit import edit


@click.group(epilog="Example: blockworld layers decompose logo.png --layers 10 --out logo.svg")
def command() -> None:
    """Decompose pictures into layers of one colour each, and edit these."""


command.add_command(decompose)
command.add_command(edit)
