"""blockworld features: what features of networks stand for, and models of things found in pictures by them."""

import click

from blockworld.commands.features.adapt import adapt
from blockworld.commands.features.analyze import analyze
from blockworld.commands.features.search import search


@click.group(epilog="Example: blockworld features analyze --factor style=8 --factor azimuth=12 --out report")
def command() -> None:
    """See what layers of networks tell apart, and find the models of things, and their poses, in pictures."""


for verb in (analyze, adapt, search):
    command.add_command(verb)
