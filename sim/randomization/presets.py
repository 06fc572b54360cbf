"""Configurations by name, and from a user's file."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from sim.randomization.config import RandomizationConfig
from sim.randomization.ranges import refusal

FOLDER = Path(__file__).parent / "presets"
PRESETS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def preset(name: str) -> RandomizationConfig:
    """The preset of that name, or the configuration in the YAML file at that path.

    A file may name a preset or a file as its `base`, and then tells only what differs; groups are merged, ranges and
    weights replaced. Raises ValueError for a name that there is not, and for ranges that cannot be, telling which.
    """
    return _validated(_read(name, ()), f"randomization {name}")


def changed(
    config: RandomizationConfig, changes: Mapping[str, Any], where: str = "randomization"
) -> RandomizationConfig:
    """The configuration with changes like those of a file on top; `where` says in messages whose changes they are."""
    return _validated(_merged(config.model_dump(), changes, RandomizationConfig), where)


def _validated(values: Mapping[str, Any], where: str) -> RandomizationConfig:
    try:
        return RandomizationConfig.model_validate(values)
    except ValidationError as error:
        raise refusal(error, where) from None


def _read(name: str, readers: tuple[str, ...]) -> dict[str, Any]:
    path = FOLDER / f"{name}.yaml" if name in PRESETS else Path(name)
    if name in readers:
        raise ValueError(f"{name} is its own base: {' -> '.join([*readers, name])}.")
    if not path.is_file():
        raise ValueError(f"there is no preset or file {name!r}; presets are: {', '.join(PRESETS)}.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ValueError(f"{name} cannot be read: {reason}.") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is no YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise ValueError(f"{name} holds no groups of ranges; see docs/randomization.md.")
    base = values.pop("base", None)
    if not isinstance(base, str | None):
        raise ValueError(f"base in {name} is {base!r}: give the name of one preset or file.")
    return values if base is None else _merged(_read(base, (*readers, name)), values, RandomizationConfig)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The base's values with the changes on top, group by group of the model."""
    merged = dict(base)
    for name, value in changes.items():
        field = model.model_fields.get(name)
        group = field.annotation if field is not None else None
        if isinstance(group, type) and issubclass(group, BaseModel) and isinstance(value, Mapping):
            merged[name] = _merged(base.get(name, {}), value, group)
        else:
            merged[name] = value
    return merged
