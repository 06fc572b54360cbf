"""Layers of pictures on disk: for each its project, its masks as they are looked at, and their shapes.

The folder says which network made them and how; what another version of that made is refused.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError

from perception.bounded_files import read_bounded
from perception.digest_store import DigestStore, write_whole
from perception.errors import LayersError, reason
from perception.layers.bundle import ENCODER_FILE, GRADIENT_FILE, MASK_FILE
from perception.layers.descriptors import ANGLES, CIRCLES, SMALL_PX, shapes, small_masks
from perception.layers.grid import Floats
from perception.layers.layer import Decomposition
from perception.layers.network import LayersNetwork
from perception.layers.project import from_json, to_json
from perception.manifest_parts import Name, Strict

VERSION = 1
PICTURES = "pictures.json"
_MOST_BYTES, _MOST_LIST_BYTES = 1 << 26, 1 << 28
_DIGEST = r"^[0-9a-f]{64}$"


class Settings(Strict):
    """How an index was made. layers: None for as many as in the network's training."""

    version: Literal[1] = 1
    network: Name
    layers: Annotated[int, Field(ge=1, le=256)] | None = None
    effort: Literal["fast", "good", "best"] = "good"


@dataclass(frozen=True, eq=False)
class KeptLayers:
    """Of one picture. small: (T, h, w) uint8, masks times 255. shapes: (T, CIRCLES, ANGLES), see `descriptors`."""

    made: Decomposition
    small: np.ndarray
    shapes: Floats

    @classmethod
    def of(cls, network: LayersNetwork, made: Decomposition) -> Self:
        """What is kept of a decomposition."""
        small = small_masks(network, made.parameters, made.width, made.height)
        found = shapes(network, made.parameters, small, made.width, made.height)
        return cls(made, np.rint(255 * small).astype(np.uint8), found)


class _Listed(Strict):
    """One picture: its name below the folder, and the digest of its file."""

    name: Annotated[str, Field(min_length=1, max_length=4096)]
    digest: Annotated[str, Field(pattern=_DIGEST)]


class Listing(Strict):
    """The folder that an index is of, and the pictures in it, each once, by their names."""

    format: Literal["blockworld layers index"] = "blockworld layers index"
    folder: Annotated[str, Field(min_length=1, max_length=4096)]
    pictures: tuple[_Listed, ...]


class LayersStore(DigestStore):
    """Layers of one making, by the digest of their picture's file."""

    DESCRIPTION, ENDING = "layers.json", ".npz"
    THINGS, MADE_BY = "layers", "another network, or other --layers or --effort,"

    def __init__(self, folder: Path, network: LayersNetwork, settings: Settings) -> None:
        """Open or make the folder; raises BlockworldError as `DigestStore`."""
        super().__init__(folder, _key(network, settings), {"settings": settings.model_dump()})
        self.settings, self._network = settings, network.manifest.name
        self._parameters = network.manifest.parameters

    @classmethod
    def opened(cls, folder: Path, models: Path | None = None) -> tuple[Self, LayersNetwork]:
        """An index that was made, and its network. Raises BlockworldError where there is none, or it was made by
        another version of the network."""
        said = cls.described(folder)
        if said is None:
            raise LayersError(
                f"there is no index in {folder}: make one with `blockworld layers index DIR --out {folder}`."
            )
        try:
            settings = Settings.model_validate(said.get("settings"))
        except ValidationError:
            raise LayersError(f"{folder / cls.DESCRIPTION} is damaged: delete {folder} and index again.") from None
        network = LayersNetwork.open(settings.network, models)
        return cls(folder, network, settings), network

    def __contains__(self, digest: str) -> bool:
        try:
            self[digest]
        except KeyError:
            return False
        return True

    def __getitem__(self, digest: str) -> KeptLayers:
        """What was kept; raises KeyError where there is nothing, or it is damaged."""
        try:
            content = read_bounded(self.path(digest), _MOST_BYTES)
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                made = from_json(arrays["project"].tobytes())
                found = KeptLayers(made, arrays["small"], arrays["shapes"].astype(np.float32))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, LayersError):
            raise KeyError(digest) from None
        count, own = len(made.layers), self._parameters
        fits = made.network == self._network and all(len(one.parameters) == own for one in made.layers)
        small = found.small.ndim == 3 and len(found.small) == count and max(found.small.shape[1:]) <= SMALL_PX
        if not (fits and small and found.small.dtype == np.uint8 and found.shapes.shape == (count, CIRCLES, ANGLES)):
            raise KeyError(digest)
        return found

    def put(self, digest: str, kept: KeptLayers) -> None:
        """Keep it; raises BlockworldError where it cannot be written."""
        file = io.BytesIO()
        project = np.frombuffer(to_json(kept.made).encode(), np.uint8)
        np.savez_compressed(file, project=project, small=kept.small, shapes=kept.shapes.astype(np.float16))
        self.write(digest, [file.getvalue()])

    def listing(self) -> Listing:
        """Which pictures there are; raises LayersError where that is not known."""
        path = self.folder / PICTURES
        try:
            return Listing.model_validate_json(read_bounded(path, _MOST_LIST_BYTES))
        except FileNotFoundError:
            raise LayersError(
                f"the index {self.folder} was not finished: run `blockworld layers index` again."
            ) from None
        except (OSError, ValidationError) as error:
            raise LayersError(f"{path} cannot be read ({reason(error)}): index again.") from None

    def list(self, folder: Path, pictures: dict[str, str]) -> None:
        """Keep which pictures there are: digests by names below the folder."""
        listed = tuple(_Listed(name=name, digest=digest) for name, digest in pictures.items())
        text = Listing(folder=str(folder.absolute()), pictures=listed).model_dump_json()
        with self.writing():
            write_whole(self.folder / PICTURES, [text.encode()])


def _key(network: LayersNetwork, settings: Settings) -> str:
    sums = {name: network.bundle.sums[name] for name in (ENCODER_FILE, MASK_FILE, GRADIENT_FILE) if name in (
        network.bundle.sums)}  # fmt: skip
    return hashlib.sha256(json.dumps([VERSION, settings.model_dump(), sums], sort_keys=True).encode()).hexdigest()
