"""Annotated objects of a category, found by their shape: what a new object takes its grasps from.

Dex-Net 1.0 (Mahler et al., ICRA 2016) looks for the objects most like a new one and takes their grasps' successes for
a prior. Shapes are compared by the latent vectors of their fits and by how they look from their six sides. Both are
kept in the folder's index; an object that is not in it, or was fitted by another network, is fitted when it is needed.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perception.bounded_files import read_bounded
from perception.contacts import Contacts, contacts_of
from perception.errors import InputError
from perception.exemplars import MOST_BYTES, AnnotatedObject
from perception.hand import Hand
from perception.shapes.bundle import DECODER_FILE
from perception.shapes.matching import Fit, Matcher
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Points, Shape
from perception.shapes.similarity import Similarity
from perception.shapes.views import depth_views

INDEX_FILE = "index.npz"
SURFACE_POINTS = 8000


@dataclass(frozen=True, eq=False)
class Exemplar:
    """An annotated object, its fit, and its looks from six sides (D,)."""

    name: str
    object: AnnotatedObject
    fit: Fit
    views: NDArray[np.float32]
    _touched: dict[Hand, list[Contacts | None]] = field(default_factory=dict, init=False, repr=False)

    def contacts(self, hand: Hand) -> list[Contacts | None]:
        """What each of its grasps touches; found once for each hand."""
        if hand not in self._touched:
            self._touched[hand] = self._contacts(hand)
        return self._touched[hand]

    def _contacts(self, hand: Hand) -> list[Contacts | None]:
        shape = Shape(self.object.vertices, self.object.faces)
        points, face, _ = area_samples(shape, SURFACE_POINTS, np.random.default_rng(0))
        normals = shape.face_normals[face]
        grasps = self.object.grasps
        return [
            contacts_of(points, normals, pose, float(opening), hand)
            for pose, opening in zip(grasps.T_object_clamp, grasps.opening_m, strict=True)
        ]


class ExemplarLibrary:
    """The annotated objects in one folder."""

    def __init__(self, exemplars: list[Exemplar]) -> None:
        self.exemplars = exemplars
        self._latents = np.stack([one.fit.latent for one in exemplars]).astype(np.float64)
        self._views = np.stack([one.views for one in exemplars]).astype(np.float64)

    @classmethod
    def open(
        cls, folder: Path, matcher: Matcher, progress: Callable[[float], None] = lambda part: None
    ) -> Self:
        """All objects of a folder; raises InputError where there are none, or one is damaged or of another category."""
        category = matcher.network.bundle.manifest.category
        paths = sorted(path for path in folder.glob("*.npz") if path.name != INDEX_FILE)
        if not paths:
            raise InputError(
                f"there are no annotated objects in {folder}: make some with `blockworld shapes annotate {category}`.",
                "exemplar",
            )
        known = _read_index(folder / INDEX_FILE, _network_sum(matcher))
        found = []
        for number, path in enumerate(paths):
            one = AnnotatedObject.load(path)
            if one.category != category:
                raise InputError(f"{path} is annotated as a {one.category}, not a {category}: move it.", "exemplar")
            shape = Shape(one.vertices, one.faces)
            placed = known.get(_sum_of(path))
            fit = matcher.fit(shape, upright=True) if placed is None else matcher.fit_of(shape, *placed)
            found.append(Exemplar(path.stem, one, fit, views_of(shape, fit)))
            progress((number + 1) / len(paths))
        return cls(found)

    def index(self, folder: Path, matcher: Matcher) -> bytes:
        """The content of the folder's index file."""
        file = io.BytesIO()
        fits = [one.fit for one in self.exemplars]
        np.savez_compressed(
            file,
            network=np.array(_network_sum(matcher)),
            files=np.array([_sum_of(folder / f"{one.name}.npz") for one in self.exemplars]),
            latents=np.stack([fit.latent for fit in fits]),
            rotations=np.stack([fit.placement.rotation for fit in fits]),
            translations=np.stack([fit.placement.translation for fit in fits]),
            scales=np.array([fit.placement.scale for fit in fits]),
        )
        return file.getvalue()

    def nearest(self, shape: Shape, fit: Fit, count: int) -> list[tuple[Exemplar, float]]:
        """The exemplars most like a shape, and how much they are, 0 to 1: the product of Gaussians of the distances of
        latent vectors and of views, whose widths are the median distances within the library."""
        away = [
            np.linalg.norm(own - one, axis=1) / _spread(own)
            for own, one in ((self._latents, fit.latent), (self._views, views_of(shape, fit)))
        ]
        similarity = np.exp(-0.5 * (away[0] ** 2 + away[1] ** 2))
        order = np.argsort(-similarity, kind="stable")[:count]
        return [(self.exemplars[i], float(similarity[i])) for i in order]


def views_of(shape: Shape, fit: Fit) -> NDArray[np.float32]:
    """What a shape looks like from six sides, turned and scaled as its template stands."""
    points: Points = shape.points
    if shape.faces is not None:
        points = area_samples(shape, SURFACE_POINTS, np.random.default_rng(0))[0]
    return depth_views(fit.placement.undo(points))


def _spread(rows: NDArray[np.float64]) -> float:
    """Median distance between two of them; 1 where there is one alone, or they are copies of one."""
    away = np.linalg.norm(rows[:, None] - rows, axis=2)[np.triu_indices(len(rows), 1)]
    return float(np.median(away[away > 0])) if away.any() else 1.0


def _read_index(path: Path, network: str) -> dict[str, tuple[NDArray[np.float32], Similarity]]:
    """Latent vector and placement by the checksum of an object's file; nothing where the index is another network's,
    or cannot be read: it only saves time."""
    try:
        with np.load(io.BytesIO(read_bounded(path, MOST_BYTES)), allow_pickle=False) as arrays:
            if str(arrays["network"]) != network:
                return {}
            placements = zip(arrays["rotations"], arrays["translations"], arrays["scales"], strict=True)
            return {
                str(name): (latent.astype(np.float32), Similarity(rotation, translation, float(scale)))
                for name, latent, (rotation, translation, scale) in zip(
                    arrays["files"], arrays["latents"], placements, strict=True
                )
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return {}


def _network_sum(matcher: Matcher) -> str:
    return matcher.network.bundle.sums[DECODER_FILE]


def _sum_of(path: Path) -> str:
    return hashlib.sha256(read_bounded(path, MOST_BYTES)).hexdigest()
