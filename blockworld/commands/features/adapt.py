"""blockworld features adapt: learn to bring features of photographs to those of renders."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.features_options import WEIGHTS, renderer, weights_of
from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError

if TYPE_CHECKING:
    import numpy as np

VERSION = 1  # of how pairs are drawn: what an older one kept is made anew


@click.command("adapt", epilog="Example: blockworld features adapt --category chair --backgrounds photos --out phi.npz")
@click.option("--network", "name", default="resnet18", show_default=True, help="As for analyze.")
@click.option("--layer", help="By name; default: the last of those that analyze shows.")
@click.option("--category", default="chair", show_default=True, help="What is drawn: chair, car, mug, ...")
@click.option("--models", type=click.IntRange(5, 10_000), default=50, show_default=True, help="Of the category.")
@click.option("--pairs", "count", type=click.IntRange(10, 100_000), default=1000, show_default=True, help="Of views.")
@click.option(
    "--backgrounds",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of photographs; without, procedural textures.",
)
@click.option(
    "--kind", type=click.Choice(("relu", "affine", "convolutional", "deep")), default="relu", show_default=True,
    help="What is learned.",
)  # fmt: skip
@click.option("--loss", type=click.Choice(("cosine", "l2")), default="cosine", show_default=True, help="Of a pair.")
@click.option("--regularisation", type=click.FloatRange(0), default=1.0, show_default=True, help="To the identity.")
@click.option("--size", "size_px", type=click.IntRange(1, 1024), default=160, show_default=True, help="Of pictures.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of models and views.")
@WEIGHTS
@click.option("--out", type=NewFile(".npz"), required=True, help="File for what is learned.")
def adapt(
    name: str, layer: str | None, category: str, models: int, count: int, backgrounds: Path | None, kind: str,
    loss: str, regularisation: float, size_px: int, seed: int, weights: tuple[tuple[str, Path], ...], out: Path,
) -> None:
    """Learn phi on pairs of views, on white and before backgrounds, in grey; one model of five is held out.

    It ends when the loss of the models held out no longer falls. Printed: losses before and after, of both.
    Features are kept in the cache folder, so that another kind or loss takes seconds.
    """
    from tqdm import tqdm

    from perception.picture_folder import content_digest
    from sim.shapes import family
    from training.features import adapt as adapting
    from training.features.adaptation import Adaptation, AdaptationConfig, learn
    from training.features.networks import checked_layers, open_network
    from training.features.pairs import Photographs, Textures

    try:
        family(category)
    except ValueError as error:
        raise BlockworldError(str(error)) from None
    config = AdaptationConfig(kind=kind, loss=loss, regularisation=regularisation, seed=seed)  # type: ignore[arg-type]
    file = weights_of(weights, (name,)).get(name)
    network = open_network(name, file)
    asked = checked_layers(network, (layer,) if layer else (), size_px)[-1]
    behind = Photographs(backgrounds) if backgrounds else Textures()
    meshes = [f"shape/{category}/{seed}/{index}" for index in range(models)]
    source = (name, content_digest(file) if file else "", asked)
    of = (VERSION, *source, category, models, count, seed, size_px, behind.digest)

    def made() -> tuple[np.ndarray, np.ndarray]:
        with renderer() as opened, tqdm(total=count, desc="pairs", leave=False, disable=None) as bar:
            return adapting.paired_features(network, asked, opened, meshes, behind, count, seed, size_px, bar.update)

    real, rendered = adapting.kept_features(hashlib.sha256(repr(of).encode()).hexdigest(), made)
    module, learned = learn(real, rendered, adapting.held_out(count, models), config)
    write_files({out: Adaptation(module, config.kind, network.name, asked, learned).content()})
    click.echo(f"{loss} loss             before    after")
    click.echo(f"models learned from  {learned.training_before:.5f}  {learned.training:.5f}")
    click.echo(f"models held out      {learned.validation_before:.5f}  {learned.validation:.5f}")
    click.echo(f"views found first    {100 * learned.found_before:5.1f} %  {100 * learned.found:5.1f} %")
    if learned.kept_epoch == 0:
        click.echo("nothing was gained on the models held out: what is written leaves features as they are")
    when = f"best after {learned.kept_epoch} of {learned.epochs} epochs"
    click.echo(f"{network.name}, layer {asked}; {when}; {out} written")
