"""The models folder that a command is given, and the bundles in it."""

from pathlib import Path

import click

from perception.errors import BlockworldError

MODELS = click.option(
    "--models",
    type=click.Path(path_type=Path),
    help="Models folder; default: BLOCKWORLD_MODELS, else models/ of the checkout.",
)


def folder_of(models: Path | None) -> Path:
    """The folder given, or the default; raises BlockworldError where it does not exist."""
    from perception.bundle import default_models_dir

    if models is None:
        return default_models_dir()
    if not models.is_dir():
        raise BlockworldError(f"the models folder {models} does not exist: give one that does with --models.")
    return models


def bundles_in(folder: Path) -> list[str]:
    """Names of its bundles; raises BlockworldError where there are none."""
    from perception.bundle import list_bundles

    names = list_bundles(folder)
    if not names:
        raise BlockworldError(f"there is no model in {folder}: train one with `blockworld train`.")
    return names


def image_bundles_in(folder: Path) -> list[str]:
    """Names of those whose networks take images, the only ones that there is a choice of engines for; raises
    BlockworldError where there are none."""
    from perception.bundles import takes_images

    names = [name for name in bundles_in(folder) if takes_images(folder / name)]
    if not names:
        raise BlockworldError(f"there is no model for images in {folder}: train one with `blockworld train`.")
    return names
