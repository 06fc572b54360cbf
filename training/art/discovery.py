"""What two pictures have in common: details that one affine map carries from one into the other.

Shen, Efros, Aubry, "Discovering visual patterns in art collections with spatially-consistent feature learning",
CVPR 2019, section 3.3: mutual nearest neighbours at several scales, groups of them by Hough votes, of the 10 best an
affine map each by RANSAC, and a score, equation 2.8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.art.affine import Tolerance, best, fitted, hypotheses, squared_errors, weights
from training.art.boxes import Box, Size, overlap
from training.art.features import STRIDE, Features, side_px
from training.art.hough import Group, groups
from training.art.matching import Arithmetic, Cells, Matches, alikeness, mutual_matches
from training.art.regions import Region

REFINED = 3
"""Times a map is fitted to the correspondences that it has."""


@dataclass(frozen=True)
class DiscoveryConfig:
    """How details are looked for in a pair of pictures."""

    source_cells: int = 36
    """Of the source, the grid with this many cells along its longest side, or nearly; of the target, all."""
    margin: int = 2
    """Cells along the edges that are left out: they have seen the padding beyond the picture."""
    groups: int = 10
    """Groups of Hough votes that get an affine map."""
    hypotheses: int = 256
    """Affine maps tried for each."""
    deviation: float = 1.0
    """sigma of equation 2.8, in cells of the source."""
    tolerance: float = 2.0
    """Cells within which a correspondence is an inlier."""
    distinct: float = 0.5
    """Share of the source's cells that are looked for: those least like their neighbours. Walls and skies are alike in
    all pictures."""
    least_cells: int = 4
    """Smaller pieces that hang together, in either picture, are dropped."""
    least_share: float = 0.25
    """So are those smaller than this share of the largest: chance agrees here and there with any map."""
    seed: int = 0
    arithmetic: Arithmetic = "fastest"


@dataclass(frozen=True, eq=False)
class Discovery:
    """One detail that is in both pictures."""

    score: float
    """Equation 2.8: 1/N times the sum over the inliers of exp(-e^2 / (2 sigma^2)) times their cosine, N the number of
    features of the source; e in its cells."""
    affine: NDArray[np.float64]
    """(2, 3): from [0, 1]^2 of the source to [0, 1]^2 of the target."""
    source: NDArray[np.float64]
    """(K, 2) inliers in [0, 1]^2 of the source."""
    target: NDArray[np.float64]
    """(K, 2) the same of the target."""
    similarity: NDArray[np.float64]
    """(K,) their cosines."""
    source_box: Box
    """(x, y, w, h) px that they cover."""
    target_box: Box


@dataclass(frozen=True, eq=False)
class Source:
    """The cells of a picture, or of a box in it, that are looked for."""

    cells: Cells
    shape: tuple[int, int]
    """(h, w) of the whole grid that they are from."""
    size: Size
    """Of the picture, px."""
    count: int
    """N of equation 2.8: how many cells there are, those left out included."""

    @classmethod
    def of(cls, features: Features, config: DiscoveryConfig) -> "Source":
        """The whole picture."""
        grid = min(features.grids, key=lambda one: abs(max(one.shape[:2]) - config.source_cells))
        cells = Cells.of(grid, config.margin)
        alike = alikeness(grid).reshape(-1)[cells.number]
        distinct = cells.chosen(alike <= np.quantile(alike, config.distinct))
        return cls(distinct, (grid.shape[0], grid.shape[1]), features.size, len(cells.number))

    @classmethod
    def of_region(cls, region: Region) -> "Source":
        """All cells of a box."""
        cells = region.cells()
        return cls(cells, region.whole, region.size, len(cells.number))


def discover(source: Features, target: Features, config: DiscoveryConfig | None = None) -> Discovery | None:
    """The best detail that both have, or None where none holds together."""
    config = config or DiscoveryConfig()
    return best_detail(Source.of(source, config), target, config)


def discover_all(source: Features, target: Features, config: DiscoveryConfig | None = None) -> list[Discovery]:
    """Every detail that both have, best first; of those that overlap in the source, the best."""
    config = config or DiscoveryConfig()
    return discoveries(Source.of(source, config), target, config)


def best_detail(source: Source, target: Features, config: DiscoveryConfig) -> Discovery | None:
    """`discover` of a source that was prepared, as it is compared with many."""
    pair = _matched(source, target, config)
    best = None
    for number, group in enumerate(pair.groups()):
        least = best.score if best else 0.0
        if pair.at_most(group) > least and (one := pair.discovery(number, group, least)) is not None:
            best = one
    return best


def target_cells(features: Features, config: DiscoveryConfig) -> list[Cells]:
    """What takes part of each grid of a picture."""
    return [Cells.of(grid, config.margin) for grid in features.grids]


def discoveries(source: Source, target: Features, config: DiscoveryConfig) -> list[Discovery]:
    """`discover_all` of a source that was prepared, as it is compared with many."""
    return _matched(source, target, config).discoveries()


def discoveries_of(
    source: Source, matches: Matches, target: Sequence[Cells], size: Size, config: DiscoveryConfig
) -> list[Discovery]:
    """The same of matches that were found already, with the cells of a target; size: its own, px."""
    return _Pair(source, matches, target, size, config).discoveries()


def _matched(source: Source, target: Features, config: DiscoveryConfig) -> "_Pair":
    cells = target_cells(target, config)
    return _Pair(source, mutual_matches(source.cells, cells, config.arithmetic), cells, target.size, config)


def _apart(found: Sequence[Discovery]) -> list[Discovery]:
    kept: list[Discovery] = []
    for one in found:
        if all(overlap(one.source_box, other.source_box) == 0 for other in kept):
            kept.append(one)
    return kept


class _Pair:
    """Positions are in cells of the source along either picture's longest side."""

    def __init__(
        self, source: Source, matches: Matches, target: Sequence[Cells], size: Size, config: DiscoveryConfig
    ) -> None:
        self.source, self.matches, self.size, self.config = source, matches, size, config
        cells = max(source.shape)
        self.unit_source = cells * np.asarray(source.size) / max(source.size)
        self.unit_target = cells * np.asarray(size) / max(size)
        self.here = matches.source * self.unit_source
        self.there = matches.target * self.unit_target
        # From the middle of a cell to that of the next is STRIDE px of a picture that was resized.
        self.scales = [cells * STRIDE / side_px(max(one.shape)) for one in target]
        self.tolerance = Tolerance(config.deviation, config.tolerance)

    def groups(self) -> list[Group]:
        return groups(self.here, self.there, self.matches.scale, self.scales, self.config.groups)

    def discoveries(self) -> list[Discovery]:
        """All that overlap no better one in the source, best first."""
        found = (self.discovery(number, group) for number, group in enumerate(self.groups()))
        return _apart(sorted((one for one in found if one is not None), key=lambda one: -one.score))

    def at_most(self, group: Group) -> float:
        """What no score of a group is above, if its map gains no matches that are not its own: each cell of the source
        counts once."""
        best = np.zeros(self.matches.cell.max() + 1, np.float32)
        np.maximum.at(best, self.matches.cell[group.members], self.matches.similarity[group.members])
        return float(best.sum()) / self.source.count

    def discovery(self, number: int, group: Group, least: float = 0.0) -> Discovery | None:
        """What RANSAC and the filters leave of a group, where its score is above `least`."""
        random = np.random.default_rng([self.config.seed, number])  # whatever became of the groups before it
        here, there = self.here[group.members], self.there[group.members]
        similarity = self.matches.similarity[group.members]
        guess = np.column_stack([group.scale * np.eye(2), group.shift])
        maps = np.concatenate([guess[None], hypotheses(here, there, self.config.hypotheses, random)])
        affine = self._refined(best(here, there, similarity, maps, self.tolerance))
        weight = self._weights(affine)
        inliers = np.flatnonzero(weight)
        scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        # The row and column of the target's cell, if its cells were as large as those of the source become there.
        cell = np.floor(self.there[inliers] / scale).astype(np.int64)
        once = _one_to_one(self.matches.cell[inliers], cell, weight[inliers])
        inliers, cell = inliers[once], cell[once]
        if weight[inliers].sum() <= least * self.source.count:  # the filters take away from it
            return None
        kept = self._holding_together(self.matches.cell[inliers], cell)
        inliers = inliers[kept]
        score = float(weight[inliers].sum()) / self.source.count
        return self._described(affine, inliers, score, scale) if score > least else None

    def _refined(self, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        for _ in range(REFINED):
            better = fitted(self.here, self.there, self._weights(affine))
            if better is None:
                break
            affine = better
        return affine

    def _weights(self, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        return weights(squared_errors(affine[None], self.here, self.there)[0], self.matches.similarity, self.tolerance)

    def _holding_together(self, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which are left when small pieces have been dropped from both pictures, until nothing changes."""
        kept = np.arange(len(ours))
        places = np.stack(np.divmod(ours, self.source.shape[1]), axis=1)
        while len(kept):
            large = self._in_large_pieces(places[kept]) & self._in_large_pieces(theirs[kept])
            if large.all():
                break
            kept = kept[large]
        return kept

    def _in_large_pieces(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(K, 2) cells -> (K,): whether they are in a piece that is large enough, corners hang together."""
        places = places - places.min(axis=0)
        mask = np.zeros(places.max(axis=0) + 1, np.uint8)
        mask[places[:, 0], places[:, 1]] = 1
        _, labels, figures, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        area = figures[:, cv2.CC_STAT_AREA]
        least = max(self.config.least_cells, self.config.least_share * area[1:].max())
        return area[labels[places[:, 0], places[:, 1]]] >= least

    def _described(
        self, affine: NDArray[np.float64], inliers: NDArray[np.int64], score: float, scale: float
    ) -> Discovery:
        here, there = self.here[inliers], self.there[inliers]
        linear = affine[:, :2] * self.unit_source / self.unit_target[:, None]
        return Discovery(
            score=score,
            affine=np.column_stack([linear, affine[:, 2] / self.unit_target]),
            source=here / self.unit_source,
            target=there / self.unit_target,
            similarity=self.matches.similarity[inliers].astype(np.float64),
            source_box=_covered(here, 0.5, self.unit_source, self.source.size),
            target_box=_covered(there, 0.5 * scale, self.unit_target, self.size),
        )


def _one_to_one(ours: NDArray[np.int64], theirs: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of all that share a cell of the source, and then of all that share one of the target, the one that weighs
    most."""
    order = np.argsort(-weight, kind="stable")
    order = order[np.sort(np.unique(ours[order], return_index=True)[1])]
    key = theirs[order, 0] * (1 << 32) + theirs[order, 1]
    return order[np.sort(np.unique(key, return_index=True)[1])]


def _covered(points: NDArray[np.float64], half: float, unit: NDArray[np.float64], size: Size) -> Box:
    """The box around cells, px, within the picture."""
    side = np.asarray(size)
    low = np.clip((points.min(axis=0) - half) / unit, 0, 1) * side
    high = np.clip((points.max(axis=0) + half) / unit, 0, 1) * side
    x, y, width, height = (float(one) for one in (*low, *(high - low)))
    return x, y, width, height
