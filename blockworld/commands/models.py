"""blockworld models: the model bundles that are there, what is in them, and whether they are sound."""

from pathlib import Path

import click
import yaml

from perception.errors import BlockworldError, BundleError

ENGINE_OF = {"fp32": "onnxruntime", "int8": "onnxruntime-cpu-int8"}
MODELS = click.option(
    "--models",
    type=click.Path(path_type=Path),
    help="Models folder; default: BLOCKWORLD_MODELS, else models/ of the checkout.",
)


@click.group(epilog="Example: blockworld models list")
def command() -> None:
    """List, show and verify model bundles."""


@command.command("list", epilog="Example: blockworld models list --models models")
@MODELS
def list_(models: Path | None) -> None:
    """A table of the bundles: task, version, size, and whether each is sound."""
    from perception.bundle import Bundle, list_bundles

    folder = _folder(models)
    names = list_bundles(folder)
    if not names:
        raise BlockworldError(f"there is no model in {folder}: train one with `blockworld train`.")
    rows = [("NAME", "TASK", "VERSION", "SIZE", "STATE")]
    for name in names:
        try:
            bundle = Bundle.load(folder / name)
        except BundleError as error:
            rows.append((name, "-", "-", "-", str(error)))
            continue
        size = f"{bundle.size / 2**20:.1f} MiB"
        rows.append((name, bundle.manifest.task, bundle.manifest.version, size, "sound"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        click.echo(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        )


@command.command("show", epilog="Example: blockworld models show coarse")
@click.argument("name")
@MODELS
def show(name: str, models: Path | None) -> None:
    """The manifest of one bundle: its input and output, bins, how it was trained, and its metrics."""
    from perception.bundle import Bundle

    manifest = Bundle.load(_folder(models) / name).manifest
    click.echo(
        yaml.safe_dump(manifest.model_dump(mode="json", exclude_defaults=False), sort_keys=False).rstrip()
    )


@command.command("verify", epilog="Example: blockworld models verify coarse fine")
@click.argument("names", nargs=-1)
@MODELS
def verify(names: tuple[str, ...], models: Path | None) -> None:
    """Check bundles, all of them unless named: manifest, checksum, and that the engines run the network."""
    import numpy as np

    from perception.bundle import Bundle, list_bundles
    from perception.engines import open_engine

    folder = _folder(models)
    wanted = names or tuple(list_bundles(folder))
    if not wanted:
        raise BlockworldError(f"there is no model in {folder}: train one with `blockworld train`.")
    for name in wanted:
        bundle = Bundle.load(folder / name)
        engines = [open_engine(bundle, ENGINE_OF[precision]) for precision in bundle.precisions]
        size = bundle.manifest.input
        for engine in engines:
            engine.run(np.zeros((1, size.height, size.width, 3), dtype=np.uint8))
        click.echo(f"{name}: sound, runs on {', '.join(engine.name for engine in engines)}")


def _folder(models: Path | None) -> Path:
    from perception.bundle import default_models_dir

    if models is None:
        return default_models_dir()
    if not models.is_dir():
        raise BlockworldError(f"the models folder {models} does not exist: give one that does with --models.")
    return models
