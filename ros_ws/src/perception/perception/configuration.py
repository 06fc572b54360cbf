"""Typed configurations from a YAML file and `key=value` words, with one clear sentence for what is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from perception.errors import BlockworldError
from perception.small_yaml import parse_yaml

Config = TypeVar("Config", bound=BaseModel)


def read_configuration(model: type[Config], path: Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration in the YAML file `path`, with `key=value` overrides; values are read as YAML.

    Raises BlockworldError that names the file or word, the field and what it should be.
    """
    try:
        values = parse_yaml(path.read_bytes()) or {}  # a pipe will do, too: its user names it
    except OSError as error:
        raise BlockworldError(f"cannot read the configuration {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BlockworldError(f"{path} is no text in UTF-8: save it as such.") from error
    except ValueError as error:
        raise BlockworldError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise BlockworldError(f"{path} should hold `key: value` lines, not a {type(values).__name__}.")
    sources = {}
    for word in overrides:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise BlockworldError(f"{word!r} is not of the form key=value, such as samples=1000.")
        try:
            values[key] = parse_yaml(text.encode())
        except ValueError as error:
            raise BlockworldError(f"the value in {word!r} cannot be read: quote it as YAML asks.") from error
        sources[key] = repr(word)
    return validated(model, values, str(path), sources)


def validated(
    model: type[Config], values: Mapping[str, Any], source: str, sources: Mapping[str, str] | None = None
) -> Config:
    """The configuration with these values; raises BlockworldError that names the field, its value and where it comes
    from: `source`, or for the fields in `sources` what stands there."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the configuration"
        told = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["loc"]:
            source = (sources or {}).get(str(first["loc"][0]), source)
        given = f" is {first['input']!r}" if isinstance(first["input"], str | int | float | bool) else ""
        known = f" (fields: {', '.join(model.model_fields)})" if first["type"] in ("extra_forbidden", "missing") else ""
        raise BlockworldError(f"{field} in {source}{given}: {told}{known}.") from error
