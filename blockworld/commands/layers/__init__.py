"""blockworld layers: pictures as layers of one colour each, that can be edited at any size."""

import click

from blockworld.commands.layers.decompose import decompose


@click.group(epilog="Example: blockworld layers decompose logo.png --layers 10 --out logo.svg")
def command() -> None:
    """Decompose pictures into layers of one colour each."""


command.add_command(decompose)
