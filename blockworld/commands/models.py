"""blockworld models: the model bundles that are there, what is in them, and whether they are sound."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from blockworld.models_folder import MODELS, bundles_in, folder_of
from perception.errors import BundleError

if TYPE_CHECKING:
    from perception.bundles import AnyBundle

ENGINE_OF = {"fp32": "onnxruntime", "int8": "onnxruntime-cpu-int8"}


@click.group(epilog="Example: blockworld models list")
def command() -> None:
    """List, show and verify model bundles."""


@command.command("list", epilog="Example: blockworld models list --models models")
@MODELS
def list_(models: Path | None) -> None:
    """A table of the bundles: task, version, size, and whether each is sound."""
    from perception.bundles import load_bundle

    folder = folder_of(models)
    names = bundles_in(folder)
    rows = [("NAME", "TASK", "VERSION", "SIZE", "STATE")]
    for name in names:
        try:
            bundle = load_bundle(folder / name)
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
    from perception.bundles import load_bundle

    manifest = load_bundle(folder_of(models) / name).manifest
    click.echo(
        yaml.safe_dump(manifest.model_dump(mode="json", exclude_defaults=False), sort_keys=False).rstrip()
    )


@command.command("verify", epilog="Example: blockworld models verify coarse fine")
@click.argument("names", nargs=-1)
@MODELS
def verify(names: tuple[str, ...], models: Path | None) -> None:
    """Check bundles, all of them unless named: manifest, checksum, and that the engines run the network."""
    from perception.bundles import load_bundle

    folder = folder_of(models)
    for name in names or bundles_in(folder):
        click.echo(f"{name}: sound, runs on {', '.join(_runs(load_bundle(folder / name)))}")


def _runs(bundle: "AnyBundle") -> list[str]:
    """The engines that ran the bundle's networks; raises EngineError for one that does not."""
    import numpy as np

    from perception.engines import open_engine
    from perception.layers.bundle import LayersBundle
    from perception.layers.network import LayersNetwork
    from perception.shapes.atlas.bundle import AtlasBundle
    from perception.shapes.atlas.network import AtlasNetwork
    from perception.shapes.bundle import ShapeBundle
    from perception.shapes.deformation import DeformationNetwork

    if isinstance(bundle, LayersBundle):
        LayersNetwork(bundle)  # runs both networks once
        return [ENGINE_OF["fp32"]]
    if isinstance(bundle, AtlasBundle):
        AtlasNetwork(bundle)  # runs both networks once
        return [ENGINE_OF["fp32"]]
    if isinstance(bundle, ShapeBundle):
        network = DeformationNetwork(bundle)
        network.decode(network.encode(network.template.points[None]), network.template.points)
        return [ENGINE_OF["fp32"]]
    engines = [open_engine(bundle, ENGINE_OF[precision]) for precision in bundle.precisions]
    size = bundle.manifest.input
    for engine in engines:
        engine.run(np.zeros((1, size.height, size.width, 3), dtype=np.uint8))
    return [engine.name for engine in engines]
