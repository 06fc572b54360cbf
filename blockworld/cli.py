"""The command `blockworld`: finds its verbs in blockworld/commands, and turns errors into one sentence."""

import sys
import warnings
from importlib import import_module
from pkgutil import iter_modules
from typing import TextIO

import click

from blockworld import commands
from perception.errors import BlockworldError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class Verbs(click.Group):
    """A group whose commands are imported when they are asked for, so that `--help` of one loads no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the modules in blockworld/commands."""
        return sorted(module.name for module in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The object `command` of the module of that name, or None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found = import_module(f"{commands.__name__}.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Verbs, epilog="Example: blockworld demo --episodes 5 --out demo_output")
@click.version_option(package_name="blockworld")
def blockworld() -> None:
    """From synthetic images to a grasp: localize a block from uncalibrated cameras, and pick it up."""


def _say(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One sentence where it is for the user, else where it comes from too."""
    if category is UserWarning:
        click.echo(f"blockworld: {message}", err=True)
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno), err=True, nl=False)


def main() -> None:
    """Run the command line; bad input prints one sentence and exits with 2."""
    warnings.showwarning = _say
    try:
        status = blockworld.main(standalone_mode=False)
    except (BlockworldError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"blockworld: {message}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("blockworld: interrupted.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)
