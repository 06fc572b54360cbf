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
    from training.art.gallery import Gallery
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


def indexing(cluster: RayCluster | None) -> Indexing | None:
    """What indexes on a cluster; None without one."""
    if cluster is None:
        return None
    from training.art.on_ray import indexing_on

    return indexing_on(cluster, notice)


def opened(folder: Path, weights: Path | None, cache: Path | None, cluster: RayCluster | None = None) -> Opened:
    """Index a folder as far as it was not, on a cluster or here.

    Raises BlockworldError where no picture of it can be used.
    """
    with training_needed():
        from training.art.backbone import open_backbone
        from training.art.coarse_file import CoarseFile
        from training.art.gallery import Gallery
        from training.art.index import index_folder, open_store
        from training.art.pictures import shown
    store, extractor = open_store(open_backbone(weights), cache)
    found = index_folder(folder, store, extractor, True, indexing(cluster))
    for problem in found.problems:
        click.echo(f"problem: {problem.sentence}", err=True)
    if not found.pictures:
        raise BlockworldError(f"there is no picture that can be used in {shown(folder)}: name a folder of scans.")
    gallery = Gallery(store, CoarseFile.of(store, folder))
    for one in found.pictures:
        gallery.add(one.digest)
    paths = [one.path for one in found.pictures]
    return Opened(store, extractor, gallery, paths, [shown(one.relative_to(folder)) for one in paths])
