"""blockworld engine: what can run the networks on this machine, and building engines before anything is launched."""

from pathlib import Path

import click

from blockworld.models_folder import MODELS, folder_of, image_bundles_in
from perception.engines.precision import TENSORRT_PRECISIONS, TensorRtPrecision


@click.group(epilog="Example: blockworld engine list")
def command() -> None:
    """List the engines of this machine, and build those that have to be built."""


@command.command("list", epilog="Example: blockworld engine list")
@MODELS
def list_(models: Path | None) -> None:
    """Every engine, whether it runs here, and if not, why not."""
    from perception.bundle import Bundle
    from perception.engine_names import AUTO, ENGINES
    from perception.engines import engines_for, open_engine

    folder = folder_of(models)
    bundle = Bundle.load(folder / image_bundles_in(folder)[0])
    click.echo(f"{AUTO}: {open_engine(bundle).name}")
    for name, why_not in engines_for(bundle).items():
        click.echo(f"{name}: {why_not or 'runs'}\n    {ENGINES[name]}")


@command.command("build", epilog="Example: blockworld engine build fine tool --precision fp16")
@click.argument("names", nargs=-1)
@MODELS
@click.option("--precision", type=click.Choice(TENSORRT_PRECISIONS), default="fp16", show_default=True)
@click.option(
    "--engines",
    type=click.Path(path_type=Path),
    help="Folder of the engines.  [default: BLOCKWORLD_ENGINES, else blockworld/engines in the user's cache]",
)
def build(names: tuple[str, ...], models: Path | None, precision: TensorRtPrecision, engines: Path | None) -> None:
    """Build TensorRT engines of bundles, all of them unless named, for the GPU of this machine.

    Takes minutes per bundle. A launch never does this: an engine that is asked for and was not built is an error.
    """
    from perception.bundle import Bundle
    from perception.engines.tensorrt import build as build_engine

    folder = folder_of(models)
    for name in names or image_bundles_in(folder):
        bundle = Bundle.load(folder / name)
        if precision == "int8" and "int8" not in bundle.precisions and not names:
            click.echo(f"{name}: has no network in int8, left out")
            continue
        click.echo(f"{name}: {build_engine(bundle, precision, engines)}")
