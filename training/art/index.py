"""The index of a folder of scans: features of all its pictures, made once, and what is wrong with the others."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from perception.errors import ImageError
from perception.folder_index import Digesting, Index, Indexed, look_through
from perception.picture_folder import Duplicate, Found, Problem, content_digest, told_apart
from training.art.backbone import Backbone, digest, to_onnx
from training.art.extractor import Extractor, key
from training.art.feature_store import FeatureStore
from training.art.network import Engine, Network, fastest_engine
from training.art.read_ahead import read_ahead


def open_store(
    backbone: Backbone, cache: Path | None, engine: Engine | None = None
) -> tuple[FeatureStore, Extractor]:
    """The cache of a backbone's features, and what makes them.

    cache: its folder; None for one of that backbone among the user's caches. Raises BlockworldError as `FeatureStore`
    and `Network` do.
    """
    chosen, sha = engine or fastest_engine(), digest(backbone)
    made_by = key(sha, chosen)
    store = FeatureStore(cache or default_cache() / made_by[:16], made_by)
    return store, Extractor(Network(network_of(store, backbone), chosen), sha, backbone.stride)


def network_of(store: FeatureStore, backbone: Backbone) -> bytes:
    """A backbone as an ONNX file, kept in a cache of its features. Raises BlockworldError as `FeatureStore` does."""
    content = store.network()
    if content is None:
        content = to_onnx(backbone)
        store.keep_network(content)
    return content


def default_cache() -> Path:
    """Where caches of all backbones are unless others are named: below XDG_CACHE_HOME, or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blockworld" / "art"


def index_folder(
    folder: Path, store: FeatureStore, extractor: Extractor, progress: bool = False, run: "Indexing | None" = None
) -> Index:
    """Make and keep the features that the store lacks, of all pictures in and below a folder; go on after a picture
    that cannot be used. progress: whether a bar is shown, on a terminal. run: in place of `indexed`.

    Interrupted at any moment, it loses the picture in hand: the next time it goes on from there. Raises BlockworldError
    where the folder cannot be read, or the store cannot be written to.
    """
    return look_through(
        folder, store.folder, lambda files, digest_of: (run or indexed)(files, store, extractor, digest_of), progress
    )


Indexing = Callable[[list[Path], FeatureStore, Extractor, Digesting], Iterator[Indexed | Duplicate | Problem]]
"""Makes and keeps what the store lacks, and tells what came of each file, in any order."""


def indexed(
    files: list[Path], store: FeatureStore, extractor: Extractor, digest_of: Digesting = content_digest
) -> Iterator[Indexed | Duplicate | Problem]:
    """What came of each file, in their order, as soon as it is known. Raises BlockworldError where the store cannot be
    written to."""
    found = told_apart(files, digest_of)
    for one, reading in read_ahead((one, one.path if _is_new(one, store) else None) for one in found):
        if not isinstance(one, Found):
            yield one
            continue
        try:
            if reading is not None:
                store.put(one.digest, extractor.features(reading.result()))
        except ImageError as error:
            yield Problem(one.path, str(error))
        else:
            yield Indexed(one, made=reading is not None)


def _is_new(one: Found | Duplicate | Problem, store: FeatureStore) -> bool:
    return isinstance(one, Found) and one.digest not in store
