"""blockworld shapes: correspondences between shapes of a category and what they carry, and shapes reconstructed."""

import click

from blockworld.commands.shapes.annotate import annotate
from blockworld.commands.shapes.index import index
from blockworld.commands.shapes.interpolate import interpolate
from blockworld.commands.shapes.match import match
from blockworld.commands.shapes.reconstruct import reconstruct
from blockworld.commands.shapes.train import train
from blockworld.commands.shapes.transfer_grasp import transfer_grasp
from blockworld.commands.shapes.transfer_texture import transfer_texture


@click.group(epilog="Example: blockworld shapes match mug_a.obj mug_b.ply --category mug --picture pair.png")
def command() -> None:
    """Match shapes of one category, transfer what is known of one to another, and reconstruct shapes from pictures."""


for verb in (annotate, index, interpolate, match, reconstruct, train, transfer_grasp, transfer_texture):
    command.add_command(verb)
