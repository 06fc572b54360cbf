"""Decompositions as JSON: what was found, to be looked at, changed and read again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from perception.bounded_files import read_bounded
from perception.errors import LayersError, reason
from perception.layers.grid import Floats
from perception.layers.layer import Decomposition, Gradient, Layer
from perception.manifest_parts import Name, Strict

MOST_BYTES = 1 << 24
_MOST_SIDE, _MOST_LAYERS, _MOST_PARAMETERS = 100_000, 256, 4096
Parameter = Annotated[float, Field(ge=-1e6, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]
Colour = tuple[Share, Share, Share]
Place = Annotated[float, Field(ge=-10, le=10)]
Parameters = Annotated[tuple[Parameter, ...], Field(min_length=1, max_length=_MOST_PARAMETERS)]


class GradientPart(Strict):
    """See `perception.layers.layer.Gradient`."""

    colour: Colour
    start: tuple[Place, Place]
    end: tuple[Place, Place]

    @property
    def gradient(self) -> Gradient:
        """The same, as layers have it."""
        return Gradient(np.array(self.colour, np.float32), self.start, self.end)


class LayerPart(Strict):
    """What there is to a layer beside its masks."""

    name: Annotated[str, Field(max_length=200)] = ""
    colour: Colour
    lightness: Annotated[float, Field(ge=-1, le=1)] = 0.0
    gradient: GradientPart | None = None
    opacity: Share = 1.0
    visible: bool = True

    def layer(self, masks: Sequence[Floats]) -> Layer:
        """The layer behind these masks' parameters (P,), of which there is at least one."""
        return Layer(
            parameters=masks[0],
            colour=np.array(self.colour, np.float32),
            name=self.name,
            opacity=self.opacity,
            visible=self.visible,
            lightness=self.lightness,
            gradient=None if self.gradient is None else self.gradient.gradient,
            joined=tuple(masks[1:]),
        )


def part_of(layer: Layer) -> dict[str, Any]:
    """A layer as `LayerPart` has it, colours to six digits."""
    found = layer.gradient
    gradient = None if found is None else {"colour": _rounded(found.colour), "start": found.start, "end": found.end}
    return {
        "name": layer.name,
        "colour": _rounded(layer.colour),
        "lightness": layer.lightness,
        "gradient": gradient,
        "opacity": layer.opacity,
        "visible": layer.visible,
    }


class _Layer(LayerPart):
    parameters: Parameters
    joined: Annotated[tuple[Parameters, ...], Field(max_length=_MOST_LAYERS)] = ()


class _Project(Strict):
    format: Literal["blockworld layers"] = "blockworld layers"
    format_version: Literal[1] = 1
    network: Name
    width: Annotated[int, Field(ge=1, le=_MOST_SIDE)]
    height: Annotated[int, Field(ge=1, le=_MOST_SIDE)]
    transparent: bool
    errors: Annotated[tuple[Share, ...], Field(max_length=_MOST_LAYERS + 1)] = ()
    layers: Annotated[tuple[_Layer, ...], Field(max_length=_MOST_LAYERS)]


def to_json(made: Decomposition) -> str:
    """All of a decomposition; masks by their parameters, so that the network of that name draws them."""
    layers = tuple(
        _Layer(
            **part_of(one),
            parameters=tuple(float(value) for value in one.parameters),
            joined=tuple(tuple(float(value) for value in mask) for mask in one.joined),
        )
        for one in made.layers
    )
    return _Project(
        network=made.network,
        width=made.width,
        height=made.height,
        transparent=made.transparent,
        errors=tuple(min(1.0, one) for one in made.errors),
        layers=layers,
    ).model_dump_json(indent=1)


def from_json(text: str | bytes, source: str = "the project") -> Decomposition:
    """What `to_json` wrote. Raises LayersError for anything else, with the first thing that is wrong."""
    try:
        found = _Project.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        told = reason(f"{where}: {first['msg']}" if where else first["msg"])
        raise LayersError(f"{source} is no project of layers ({told}): save it again.") from None
    if len({len(mask) for one in found.layers for mask in (one.parameters, *one.joined)}) > 1:
        raise LayersError(f"{source} has layers of different numbers of parameters: save it again.")
    if sum(1 + len(one.joined) for one in found.layers) > _MOST_LAYERS:
        raise LayersError(f"{source} has more than {_MOST_LAYERS} masks: delete some of its layers.")
    layers = tuple(
        one.layer([np.array(mask, np.float32) for mask in (one.parameters, *one.joined)]) for one in found.layers
    )
    return Decomposition(found.network, found.width, found.height, layers, found.transparent, found.errors)


def read_project(path: Path) -> Decomposition:
    """The project of a file; raises LayersError."""
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise LayersError(f"{path} cannot be read ({reason(error.strerror or error)}): give a project.") from None
    return from_json(content, str(path))


def _rounded(colour: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in colour)
