"""blockworld art: the same detail across a collection of pictures, whatever the medium."""

import click

from blockworld.commands.art.browse import browse
from blockworld.commands.art.discover import discover
from blockworld.commands.art.evaluate import evaluate
from blockworld.commands.art.index import index
from blockworld.commands.art.learn import learn
from blockworld.commands.art.recognize import recognize
from blockworld.commands.art.search import search


@click.group(epilog="Example: blockworld art index scans")
def command() -> None:
    """Find the details that the pictures of a collection share: figures, studies, copies."""


for verb in (index, learn, search, recognize, discover, browse, evaluate):
    command.add_command(verb)
