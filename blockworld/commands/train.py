"""blockworld train: run one of the training recipes and export its bundle."""

from pathlib import Path

import click

from perception.errors import BlockworldError

MODELS_DIR = click.option(
    "--models",
    "models_dir",
    type=click.Path(path_type=Path),
    default=Path("models"),
    show_default=True,
    help="Folder that the exported bundle goes to.",
)


@click.command(
    epilog="Example: blockworld train localization-tool --models models data=data/coarse samples=24000 seed=1"
)
@click.argument("recipe", required=False)
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--list", "listed", is_flag=True, help="Name all recipes and stop.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file in place of the recipe's own."
)
@MODELS_DIR
def command(
    recipe: str | None, overrides: tuple[str, ...], listed: bool, config: Path | None, models_dir: Path
) -> None:
    """Train RECIPE, going on where an interrupted run stopped, and export its bundle.

    KEY=VALUE words change fields of the configuration; values are read as YAML.
    """
    from training.recipes import RECIPES

    if listed:
        width = max(len(name) for name in RECIPES)
        for name, entry in RECIPES.items():
            click.echo(f"{name:<{width}}  {entry.summary}")
        return
    run_recipe(recipe, config, overrides, models_dir)


def run_recipe(recipe: str | None, config: Path | None, overrides: tuple[str, ...], models_dir: Path) -> None:
    """Train by a recipe and say what came of it; raises BlockworldError."""
    from training.recipes import RECIPES

    if recipe not in RECIPES:
        wrong = f"there is no recipe {recipe!r}" if recipe else "no recipe was given"
        raise BlockworldError(f"{wrong}: choose one of {', '.join(RECIPES)}.")
    chosen = RECIPES[recipe]
    try:
        metrics = chosen.run(config or chosen.config, overrides, models_dir)
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(_sentence(error)) from error
    for name, value in metrics.items():
        click.echo(f"{name}: {value:g}")
    click.echo(f"exported to {models_dir}; `blockworld models verify` checks it")


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"training needs the package {error.name}: install the extra with `pip install 'blockworld[train,sim]'`."
    return str(error)
