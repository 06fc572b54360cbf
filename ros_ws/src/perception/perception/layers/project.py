"""Decompositions as JSON: what was found, to be looked at, changed and read again."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError

from perception.bounded_files import read_bounded
from perception.errors import LayersError, reason
from perception.layers.layer import Decomposition, Layer
from perception.manifest_parts import Name, Strict

MOST_BYTES = 1 << 24
_MOST_SIDE, _MOST_LAYERS, _MOST_PARAMETERS = 100_000, 256, 4096
Parameter = Annotated[float, Field(ge=-1e6, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Layer(Strict):
    name: Annotated[str, Field(max_length=200)] = ""
    colour: tuple[Share, Share, Share]
    opacity: Share = 1.0
    visible: bool = True
    parameters: Annotated[tuple[Parameter, ...], Field(min_length=1, max_length=_MOST_PARAMETERS)]


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
            name=one.name,
            colour=tuple(round(float(value), 6) for value in one.colour),  # type: ignore[arg-type]
            opacity=one.opacity,
            visible=one.visible,
            parameters=tuple(float(value) for value in one.parameters),
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
    if len({len(one.parameters) for one in found.layers}) > 1:
        raise LayersError(f"{source} has layers of different numbers of parameters: save it again.")
    layers = tuple(
        Layer(np.array(o.parameters, np.float32), np.array(o.colour, np.float32), o.name, o.opacity, o.visible)
        for o in found.layers
    )
    return Decomposition(found.network, found.width, found.height, layers, found.transparent, found.errors)


def read_project(path: Path) -> Decomposition:
    """The project of a file; raises LayersError."""
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise LayersError(f"{path} cannot be read ({reason(error.strerror or error)}): give a project.") from None
    return from_json(content, str(path))
