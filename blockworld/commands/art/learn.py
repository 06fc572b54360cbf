"""blockworld art learn: features fine-tuned on a collection."""

from pathlib import Path

import click

from blockworld.art_options import COLLECTION, STANDARDISE, WEIGHTS, training_needed
from perception.errors import BlockworldError

_ENDINGS = (".pth", ".pt")


@click.command("learn", epilog="Example: blockworld art learn scans --out scans.pth rounds=20")
@COLLECTION
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File for the weights, .pth; blockworld art index reads it with --weights.",
)
@WEIGHTS
@STANDARDISE
@click.option(
    "--checkpoints",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the checkpoint and the log, 90 MB; default: one beside the weights.",
)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file in place of the recipe's own.")
def learn(
    folder: Path, overrides: tuple[str, ...], out: Path, weights: Path | None, standardise: bool,
    checkpoints: Path | None, config: Path | None,
) -> None:
    """Learn features on the pictures in and below DIR, without labels, and write the network's weights.

    Details that are found again in other pictures, as what is around them confirms, teach it which cells are alike.
    Interrupted, it goes on where it stopped. KEY=VALUE words change fields of the configuration; values are read as
    YAML.
    """
    if out.suffix.lower() not in _ENDINGS:
        raise BlockworldError(f"{out} cannot hold weights: name a file that ends with .pth.")
    with training_needed():
        from perception.configuration import read_configuration
        from training.art.backbone import open_backbone
        from training.art.learning.config import LearningConfig
        from training.art.learning.reading import usable_pictures
        from training.art.learning.train import learn as learn_on
        from training.recipes import FOLDER
    settings = read_configuration(LearningConfig, config or FOLDER / "art" / "configs" / "learn.yaml", overrides)
    backbone = open_backbone(weights, standardise)
    pictures, problems = usable_pictures(folder, progress=True)
    for problem in problems:
        click.echo(f"problem: {problem.sentence}")
    found = learn_on(
        pictures, backbone, settings, out, checkpoints or out.with_name(f"{out.name}.learning"), progress=True
    )
    if not found.best_round:
        click.echo(f"none of {found.rounds} rounds verified more pairs: the weights are those it began with")
    click.echo(
        f"verified pairs: {100 * found.first_share:.2f} % before, {100 * found.best_share:.2f} % after "
        f"{found.best_round} of {found.rounds} rounds; weights in {out}"
    )
