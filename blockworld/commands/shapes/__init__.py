"""blockworld shapes: correspondences between shapes of a category, and what they carry from one to the other."""

import click

from blockworld.commands.shapes.match import match
from blockworld.commands.shapes.transfer_texture import transfer_texture


@click.group(epilog="Example: blockworld shapes match mug_a.obj mug_b.ply --category mug --picture pair.png")
def command() -> None:
    """Match shapes of one category, and transfer what is known of one to another."""


command.add_command(match)
command.add_command(transfer_texture)
