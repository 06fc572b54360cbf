"""What the commands of `blockworld features` have in common: networks with their weights, and a renderer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perception.errors import BlockworldError

if TYPE_CHECKING:
    from sim.renderers import Renderer


class NameAnd(click.ParamType):
    """NAME=VALUE, of which VALUE is what another type makes of it."""

    def __init__(self, value: click.ParamType, name: str) -> None:
        self._value, self.name = value, name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """See click.ParamType."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name or not rest:
            self.fail(f"{value!r} is not {self.name}.", param, ctx)
        return name, self._value.convert(rest, param, ctx)


WEIGHTS = click.option(
    "--weights",
    multiple=True,
    type=NameAnd(click.Path(path_type=Path), "NETWORK=FILE"),
    help="Weights of resnet18 or squeezenet, .pth or .npz; without, those of ImageNet are downloaded once.",
)


def weights_of(given: tuple[tuple[str, Path], ...], networks: tuple[str, ...]) -> dict[str, Path]:
    """Files by network. Raises BlockworldError for those of a network that is not asked for."""
    if unknown := sorted(dict(given).keys() - set(networks)):
        raise BlockworldError(f"--weights are for {unknown[0]}, which is not asked for: add --network {unknown[0]}.")
    return dict(given)


@contextmanager
def renderer() -> Iterator[Renderer]:
    """The renderer gl. Raises BlockworldError where OpenGL does not work."""
    from sim.renderers import open_renderer

    try:
        opened = open_renderer("gl", instead=False)
    except ValueError as error:
        raise BlockworldError(str(error)) from error
    try:
        yield opened
    finally:
        opened.close()
