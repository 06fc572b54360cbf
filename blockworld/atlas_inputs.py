"""What the commands for atlases take: a picture, or a mesh or cloud, and the network for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.models_folder import folder_of
from perception.errors import BlockworldError

if TYPE_CHECKING:
    import numpy as np

    from perception.shapes.atlas.network import AtlasNetwork
    from perception.shapes.atlas.reconstruction import Placement

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
DEFAULTS = {"cloud": "atlas_ae", "picture": "atlas_svr"}
MODEL = click.option("--model", help="Bundle to use; default: atlas_svr for pictures, atlas_ae for the rest.")
POINTS = click.option(
    "--points", default=22_500, show_default=True, type=click.IntRange(100, 1_000_000),
    help="Points of all charts together, where the network lets one choose.",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class AtlasInput:
    """The latent vector (L,) of what a file shows, and where its frame is in the file's; None for pictures."""

    latent: "np.ndarray"
    placement: "Placement | None"


def kind_of(path: Path) -> str:
    """ "picture", or "cloud" for whatever else."""
    return "picture" if path.suffix.lower() in PICTURES else "cloud"


def network_for(path: Path, model: str | None, models: Path | None) -> "AtlasNetwork":
    """The network that takes such a file; raises BlockworldError where the bundle named takes another kind."""
    from perception.shapes.atlas.network import AtlasNetwork

    kind = kind_of(path)
    network = AtlasNetwork.open(model or DEFAULTS[kind], folder_of(models))
    if network.manifest.input != kind:
        taken = "a mesh or a cloud" if kind == "cloud" else "a picture"
        raise BlockworldError(
            f"{path} is {taken}, which the network {network.manifest.name} does not take: leave out --model, or name "
            "one that does."
        )
    return network


def encoded(network: "AtlasNetwork", path: Path, turn: bool, T_up_file: "np.ndarray") -> AtlasInput:
    """What the network makes of a file; raises BlockworldError. turn: whether headings are searched."""
    from perception.images import read_with_alpha
    from perception.shapes.atlas.reconstruction import HEADINGS, Placement, encode_cloud, encode_picture
    from perception.shapes.reading import read_shape
    from perception.shapes.shape import Shape

    if network.manifest.input == "picture":
        return AtlasInput(encode_picture(network, *read_with_alpha(path)), None)
    read, up = read_shape(path), T_up_file[:3, :3]
    found = encode_cloud(network, Shape(read.points @ up.T, read.faces), HEADINGS if turn else 1)
    own = found.placement
    return AtlasInput(found.latent, Placement(own.turn @ up, own.middle, own.radius))
