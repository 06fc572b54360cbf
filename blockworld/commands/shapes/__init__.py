"""blockworld shapes: correspondences between shapes of a category, and what they carry from one to the other."""

import click

from blockworld.commands.shapes.annotate import annotate
from blockworld.commands.shapes.index import index
from blockworld.commands.shapes.match import match
from blockworld.commands.shapes.train import train
from blockworld.commands.shapes.transfer_grasp import transfer_grasp
from blockworld.commands.shapes.transfer_texture import transfer_texture


@click.group(epilog="Example: blockworld shapes match mug_a.obj mug_b.ply --category mug --picture pair.png")
def command() -> None:
    """Match shapes of one category, and transfer what is known of one to another."""


for verb in (annotate, index, match, train, transfer_grasp, transfer_texture):
    command.add_command(verb)
