"""What the commands of `blockworld layers` have in common: how a picture is decomposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from blockworld.models_folder import MODELS
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from perception.layers.layer import Decomposition
    from perception.layers.network import LayersNetwork

_OPTIONS = (
    click.option("--layers", type=click.IntRange(1, 256),
                 help="How many layers. [default: as in the network's training]"),
    click.option("--colours", type=click.IntRange(1, 256), help="How many colours all layers have together."),
    click.option("--effort", default="good", show_default=True, type=click.Choice(["fast", "good", "best"]),
                 help="fast: as the network sees it. good, best: layers are also fitted to the picture."),
    click.option("--least-gain", default=0.0, show_default=True, type=click.FloatRange(0, 1),
                 help="Stop where a layer takes less than this part of the error away; 0: all layers."),
    click.option("--model", default="layers_flat", show_default=True, help="Bundle to use."),
    MODELS,
)  # fmt: skip


def decomposing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say how a picture is decomposed."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def of_colours(network: LayersNetwork, made: Decomposition, count: int | None) -> Decomposition:
    """The same layers in so many colours, if a number is given. Raises BlockworldError where there are fewer layers."""
    from perception.layers.palette import limited
    from perception.layers.rendering import masks_at

    if count is None:
        return made
    if len(made.layers) < count:
        raise BlockworldError(f"{count} colours were asked for of {len(made.layers)} layers: ask for more layers.")
    weights = masks_at(network, made, 64, 64).mean(axis=(1, 2))
    return made.with_colours(limited(made.colours, weights, count))
