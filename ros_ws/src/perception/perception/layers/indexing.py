"""The layers of all pictures of a folder, made once and kept."""

import os
from collections.abc import Iterator
from pathlib import Path

from perception.errors import ImageError
from perception.folder_index import Digesting, Index, Indexed, look_through
from perception.layers.decompose import EFFORTS, decompose
from perception.layers.kept import KeptLayers, LayersStore, Settings
from perception.layers.network import LayersNetwork
from perception.layers.picture import read_rgba
from perception.picture_folder import Duplicate, Found, Problem, shown, told_apart


def index_folder(folder: Path, store: LayersStore, network: LayersNetwork, progress: bool = False) -> Index:
    """Make and keep the layers that the store lacks, of all pictures in and below a folder, and which pictures these
    are. progress: whether a bar is shown, on a terminal.

    Interrupted at any moment, it loses the picture in hand. Raises BlockworldError where the folder cannot be read, or
    the store cannot be written to.
    """

    def make(files: list[Path], digest_of: Digesting) -> Iterator[Indexed | Duplicate | Problem]:
        for one in told_apart(files, digest_of):
            yield _indexed(one, folder, store, network) if isinstance(one, Found) else one

    index = look_through(folder, store.folder, make, progress)
    if index.pictures:
        store.list(folder, {one.path.relative_to(folder).as_posix(): one.digest for one in index.pictures})
    return index


def layers_of(network: LayersNetwork, path: Path, settings: Settings) -> KeptLayers:
    """Of a picture's file, as an index has them. Raises ImageError."""
    return KeptLayers.of(network, decompose(network, read_rgba(path), settings.layers, EFFORTS[settings.effort]))


def _indexed(one: Found, folder: Path, store: LayersStore, network: LayersNetwork) -> Indexed | Problem:
    try:
        os.fsencode(one.path).decode()
    except UnicodeDecodeError:
        return Problem(one.path, f"{shown(one.path)} has a name that is not UTF-8: rename it.")
    made = one.digest not in store
    try:
        if made:
            store.put(one.digest, layers_of(network, one.path, store.settings))
    except ImageError as error:
        return Problem(one.path, str(error))
    return Indexed(one, made)
