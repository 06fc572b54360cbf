"""The methods of localization by name; the first one is the default (docs/localization.md has the figures)."""

import os
from collections.abc import Sequence

from perception.bins import BinLocalizer
from perception.errors import BlockworldError
from perception.localize import STAGES, Localizer

METHODS: dict[str, type[Localizer]] = {"heatmaps": Localizer, "bins": BinLocalizer}
DEFAULT = next(iter(METHODS))


def open_localizer(
    models_dir: str | os.PathLike[str] | None = None,
    engine: str = "auto",
    stages: Sequence[str] = STAGES,
    method: str = DEFAULT,
) -> Localizer:
    """The localizer of a method over the bundles of a folder.

    Raises BlockworldError for a method that there is not, BundleError or EngineError for what cannot be used.
    """
    return method_of(method).open(models_dir, engine, stages)


def method_of(name: str) -> type[Localizer]:
    """The localizer of a method; raises BlockworldError for one that there is not."""
    if name not in METHODS:
        raise BlockworldError(f"there is no method {name!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[name]
