"""blockworld shapes train: train the deformation network of a category."""

from pathlib import Path

import click

from blockworld.commands.train import MODELS_DIR, run_recipe
from perception.shapes.categories import CATEGORIES


@click.command("train", epilog="Example: blockworld shapes train mug --unsupervised shapes=50000 seed=1")
@click.argument("category", type=click.Choice(CATEGORIES))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--unsupervised", is_flag=True, help="Without correspondences (equation 3.2 of the paper).")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file in place of the recipe's own.")
@MODELS_DIR
def train(
    category: str, overrides: tuple[str, ...], unsupervised: bool, config: Path | None, models_dir: Path
) -> None:
    """Train the network of CATEGORY, going on where an interrupted run stopped, and export its bundle.

    The same as `blockworld train shapes-CATEGORY`.
    """
    run_recipe(f"shapes-{category}{'-unsupervised' if unsupervised else ''}", config, overrides, models_dir)
