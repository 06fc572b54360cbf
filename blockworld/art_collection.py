"""A folder of scans opened for the commands of `blockworld art`: indexed as far as it was not, problems told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.art_options import notice, training_needed
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from sim.ray_cluster import RayCluster
    from training.art.extractor import Extractor
    from training.art.feature_store import FeatureStore
    from training.art.gallery import Gallery, NamedFeatures
    from training.art.index import Indexing


@dataclass(frozen=True)
class Opened:
    """A collection that can be looked through."""

    store: FeatureStore
    extractor: Extractor
    gallery: Gallery
    paths: list[Path]
    """Of its pictures, by number."""
    names: list[str]
    """The same, below the collection's folder."""
    duplicates: dict[str, str]
    """Names of files with the bytes of one of these pictures, and the names of those."""

    def named(self) -> NamedFeatures:
        """The features of all files by name, duplicates among them."""
        from training.art.gallery import NamedFeatures

        keys = dict(zip(self.names, self.gallery.keys, strict=True))
        keys |= {name: keys[same] for name, same in self.duplicates.items() if same in keys}
        return NamedFeatures(self.gallery.features, keys)


def indexing(cluster: RayCluster | None) -> Indexing | None:
    """What indexes on a cluster; None without one."""
    if cluster is None:
        return None
    from training.art.on_ray import indexing_on

    return indexing_on(cluster, notice)


def opened(
    folder: Path, weights: Path | None, cache: Path | None, standardise: bool = False,
    cluster: RayCluster | None = None,
) -> Opened:  # fmt: skip
    """Index a folder as far as it was not, on a cluster or here.

    Raises BlockworldError where no picture of it can be used.
    """
    with training_needed():
        from perception.picture_folder import shown
        from training.art.backbone import open_backbone
        from training.art.coarse_file import CoarseFile
        from training.art.gallery import Gallery
        from training.art.index import index_folder, open_store
    store, extractor = open_store(open_backbone(weights, standardise), cache)
    found = index_folder(folder, store, extractor, True, indexing(cluster))
    for problem in found.problems:
        click.echo(f"problem: {problem.sentence}", err=True)
    if not found.pictures:
        raise BlockworldError(f"there is no picture that can be used in {shown(folder)}: name a folder of scans.")
    gallery = Gallery(store, CoarseFile.of(store, folder))
    for one in found.pictures:
        gallery.add(one.digest)
    paths = [one.path for one in found.pictures]
    duplicates = {_below(folder, one.path): _below(folder, one.of) for one in found.duplicates}
    return Opened(store, extractor, gallery, paths, [_below(folder, one) for one in paths], duplicates)


def _below(folder: Path, path: Path) -> str:
    from perception.picture_folder import shown

    return shown(path.relative_to(folder))
