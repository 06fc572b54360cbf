"""What the commands of `blockworld art` have in common: a collection, the network, and the cache of its features."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perception.errors import BlockworldError

if TYPE_CHECKING:
    from sim.ray_cluster import RayCluster

COLLECTION = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
WEIGHTS = click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights of a ResNet-18, .pth or .npz; without, those of ImageNet are downloaded once.",
)
CACHE = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the features, 12 MB a picture; default: one for these weights in ~/.cache/blockworld/art.",
)
STANDARDISE = click.option(
    "--standardise",
    is_flag=True,
    help="Take the medium out of features: channels of mean 0 and deviation 1 at each scale.",
)
VERIFY = click.option(
    "--verify/--cosine", default=True, help="Whether matches that one affine map explains come first."
)
RAY = click.option(
    "--ray", "address", metavar="ADDRESS", help="Work on a Ray cluster instead: auto, local or HOST:PORT."
)


def cluster_at(address: str) -> RayCluster:
    """The cluster. Raises BlockworldError where Ray is not installed, or no cluster answers."""
    from sim.ray_cluster import RayCluster

    try:
        return RayCluster(address)
    except ValueError as error:
        raise BlockworldError(str(error)) from error


def notice(sentence: str) -> None:
    """Tell what went wrong and was mended, beside a bar."""
    from tqdm import tqdm

    tqdm.write(f"blockworld: {sentence}", file=sys.stderr)


@contextmanager
def training_needed() -> Iterator[None]:
    """Raises BlockworldError where what is needed for features is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BlockworldError(
            f"features need the package {error.name}: install the extra with `pip install 'blockworld[train]'`."
        ) from error
