"""An index of pooled regions of all pictures: which pictures, and where in them, may show what a region shows.

Pictures are cut into overlapping windows of 3x3 cells at four scales. The mean of a window's features, whitened to 64
numbers, is one vector of a faiss index (bytes, inverted lists). What comes back for the windows of a picture or of a
box votes for a translation and a scale, so that a picture counts by what agrees, not by how much wall it has ("weak
geometric consistency", Jegou, Douze, Schmid, ECCV 2008).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from perception.errors import BlockworldError, InputError, reason
from training.art.features import Features
from training.art.matching import single

VERSION = 1
FILES = ("regions.faiss", "regions.npz", "regions.json")


@dataclass(frozen=True)
class RegionIndexConfig:
    """How pictures are cut into windows, and the index is made."""

    window: int = 3
    """Cells along a side."""
    stride: int = 2
    cells: tuple[int, ...] = (74, 49, 36, 20)
    """Of the grids with so many cells along their longest side, or nearly."""
    asked: tuple[int, ...] = (49, 36)
    """The grids of a picture whose windows are looked up to find its neighbours."""
    margin: int = 1
    """Cells along the edges that are left out."""
    dimensions: int = 64
    regularised: float = 0.05
    """Share of the largest variance that is added to all before they are made alike."""
    learned_from: int = 60_000
    """Windows that whitening and lists are learned from, at most."""
    neighbours: int = 80
    """Vectors that come back for each window."""
    probes: int = 16
    """Lists looked into."""
    bin: float = 3.0
    """Cells along a bin of votes."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one picture."""

    vectors: NDArray[np.float32]
    """(N, C) means of unit vectors."""
    places: NDArray[np.float32]
    """(N, 2) x, y of their middles, in longest sides of the picture."""
    cells: NDArray[np.float32]
    """(N,) how many of their cells go along its longest side."""


def windows_of(grid: NDArray[np.float16], config: RegionIndexConfig) -> Windows:
    """Those of one grid; a grid smaller than a window has one, of all of it."""
    size = config.window
    height, width = grid.shape[:2]
    margin = min(config.margin, max((min(height, width) - size) // 2, 0))
    inner = single(grid[margin : height - margin, margin : width - margin])
    rows, columns = (
        np.arange(0, max(side - size, 0) + 1, config.stride) for side in inner.shape[:2]
    )
    below, right = (np.minimum(one + size, side) for one, side in zip((rows, columns), inner.shape[:2], strict=True))
    # Box sums, first along the rows and then along the columns, of a few cells each.
    across = np.sum([inner[:, np.minimum(columns + one, right - 1)] for one in range(size)], axis=0)
    total = np.sum([across[np.minimum(rows + one, below - 1)] for one in range(size)], axis=0)
    longest = max(height, width)
    y, x = np.meshgrid((rows + below) / 2 + margin, (columns + right) / 2 + margin, indexing="ij")
    places = np.stack([x, y], axis=2).reshape(-1, 2) / longest
    vectors = np.asarray(total, np.float32).reshape(-1, inner.shape[2])
    return Windows(vectors, places.astype(np.float32), np.full(len(places), longest, np.float32))


def picture_windows(features: Features, cells: Sequence[int], config: RegionIndexConfig) -> Windows:
    """Those of the grids with so many cells along their longest side, or nearly."""
    chosen = {
        int(np.argmin([abs(max(one.shape[:2]) - wanted) for one in features.grids])): None for wanted in cells
    }
    each = [windows_of(features.grids[one], config) for one in chosen]
    return Windows(*(np.concatenate([getattr(one, name) for one in each]) for name in ("vectors", "places", "cells")))


class RegionIndex:
    """The index itself; pictures are numbers, in the order in which they were added."""

    def __init__(self, config: RegionIndexConfig, mean: NDArray[np.float32], whitening: NDArray[np.float32]) -> None:
        """mean: (C,); whitening: (C, D). Use `learned`."""
        self.config, self._mean, self._whitening = config, mean, whitening
        self._index: Any = None
        self._picture, self._cells = np.empty(0, np.int32), np.empty(0, np.float32)
        self._places = np.empty((0, 2), np.float32)
        self.pictures = 0

    @classmethod
    def learned(
        cls, sample: Iterable[Features], expected: int, config: RegionIndexConfig | None = None
    ) -> "RegionIndex":
        """An empty one, whitened and divided into lists by some pictures; expected: how many will be added, about."""
        config = config or RegionIndexConfig()
        each = [picture_windows(one, config.cells, config).vectors for one in sample]
        if not each:
            raise InputError("An index of regions learns from pictures, and was given none.", "index")
        count = sum(map(len, each))
        vectors = np.concatenate(each)[:: max(1, -(-count // config.learned_from))]
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        variance, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(vectors))
        kept = np.argsort(-variance, kind="stable")[: config.dimensions]
        scale = 1 / np.sqrt(np.maximum(variance[kept], 0) + config.regularised * variance.max() + 1e-12)
        # The sign of an axis is chance; that its largest number is positive makes it none.
        axes = axes[:, kept] * np.sign(axes[np.abs(axes[:, kept]).argmax(axis=0), kept])
        found = cls(config, mean, (axes * scale).astype(np.float32))
        found._divide(found.whitened(vectors), expected * count // len(each))
        return found

    def _divide(self, vectors: NDArray[np.float32], expected: int) -> None:
        faiss = _faiss()
        lists = int(min(4096, max(1, 2 * np.sqrt(expected)), max(1, len(vectors) // 40)))
        dimensions = vectors.shape[1]
        quantizer = faiss.IndexFlatIP(dimensions)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, dimensions, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.own_fields = True
        quantizer.this.disown()
        index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = 1234, 12, 1
        index.train(vectors)
        self._index = index
        self._index.nprobe = min(self.config.probes, lists)

    def whitened(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, C) means of windows -> (N, D) unit vectors."""
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        white = (unit - self._mean) @ self._whitening
        return np.ascontiguousarray(white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-6))

    def add(self, features: Features) -> int:
        """Add a picture; returns its number."""
        windows = picture_windows(features, self.config.cells, self.config)
        self._index.add(self.whitened(windows.vectors))
        self._picture = np.append(self._picture, np.full(len(windows.cells), self.pictures, np.int32))
        self._cells = np.append(self._cells, windows.cells)
        self._places = np.concatenate([self._places, windows.places])
        self.pictures += 1
        return self.pictures - 1

    def votes(self, windows: Windows, without: int | None = None) -> NDArray[np.float64]:
        """(P,): how much of each picture agrees with windows of one picture about a translation and a scale.

        without: a picture that gets no votes, because it is the one asked about.
        """
        score = np.zeros(self.pictures)
        if not len(windows.cells) or not self._index.ntotal:
            return score
        count = min(self.config.neighbours, self._index.ntotal)
        similarity, number = self._index.search(self.whitened(windows.vectors), count)
        row = np.repeat(np.arange(len(number)), count)
        number, similarity = number.ravel(), similarity.ravel()
        # What is as near to a window as its last neighbour says nothing: much looks like it.
        least = np.where(number >= 0, similarity, np.inf).reshape(-1, count).min(axis=1)
        weight = similarity - least[row]
        used = (number >= 0) & (weight > 0)
        if without is not None:
            used &= self._picture[number] != without
        row, number, weight = row[used], number[used], weight[used].astype(np.float64)
        if not len(number):
            return score
        picture = self._picture[number].astype(np.int64)
        ratio = windows.cells[row] / self._cells[number]
        scale = np.rint(4 * np.log2(ratio)).astype(np.int64)
        # In windows of the target: where the first cell of what was asked for would be.
        shift = (self._places[number] - ratio[:, None] * windows.places[row]) * self._cells[number][:, None]
        for half in (0.0, 0.5):  # two ways to cut into bins, so that no group is cut by both
            bins = np.floor(shift / self.config.bin + half).astype(np.int64)
            key = np.stack([picture, scale, bins[:, 0], bins[:, 1]], axis=1)
            groups, which = np.unique(key, axis=0, return_inverse=True)
            np.maximum.at(score, groups[:, 0], np.bincount(which.ravel(), weight))
        return score

    def save(self, folder: Path) -> None:
        """Write it into a folder, each file under another name first."""
        folder.mkdir(parents=True, exist_ok=True)
        scratch = [folder / f"{name}.part" for name in FILES]
        _faiss().write_index(self._index, str(scratch[0]))
        with scratch[1].open("wb") as file:
            np.savez(
                file, mean=self._mean, whitening=self._whitening, picture=self._picture, cells=self._cells,
                places=self._places,
            )
        described = {"version": VERSION, "pictures": self.pictures, "config": asdict(self.config)}
        scratch[2].write_text(json.dumps(described), encoding="utf-8")
        for path, name in zip(scratch, FILES, strict=True):
            path.replace(folder / name)

    @classmethod
    def load(cls, folder: Path) -> "RegionIndex":
        """Read what `save` wrote. Raises BlockworldError where that is not there, damaged, or of another version."""
        paths = [folder / name for name in FILES]
        try:
            described = json.loads(paths[2].read_text(encoding="utf-8"))
            if described["version"] != VERSION:
                raise BlockworldError(f"{folder} has an index of version {described['version']}: make it anew.")
            values: dict[str, Any] = {
                name: tuple(one) if isinstance(one, list) else one for name, one in described["config"].items()
            }
            with np.load(paths[1], allow_pickle=False) as arrays:
                found = cls(RegionIndexConfig(**values), arrays["mean"], arrays["whitening"])
                found._picture, found._cells, found._places = (arrays[name] for name in ("picture", "cells", "places"))
            found._index = _faiss().read_index(str(paths[0]))
            found.pictures = described["pictures"]
        except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BlockworldError(
                f"{folder} has no index of regions that can be read ({reason(error)}): make it anew."
            ) from error
        if not found._index.ntotal == len(found._picture) == len(found._cells) == len(found._places):
            raise BlockworldError(f"{folder} has an index of regions whose files do not belong together: make it anew.")
        return found


def _faiss() -> Any:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise BlockworldError("Shortlists need faiss: pip install 'blockworld[art]'.") from error
    return faiss
