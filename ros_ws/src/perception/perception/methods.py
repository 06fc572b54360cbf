"""The methods of localization by name; the first one is the default: it measures best (docs/localization.md)."""

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
    if method not in METHODS:
        raise BlockworldError(f"there is no method {method!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[method].open(models_dir, engine, stages)
