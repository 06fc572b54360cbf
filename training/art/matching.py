"""Mutual nearest neighbours between one grid of a picture and all grids of another.

Which cells are nearest is the product of two matrices for every pair of scales, which is all that discovery costs: in
float32, or where the processor multiplies bytes four times as fast, in int8. What is reported of the matches, their
cosine, is taken in float32 from the half precision features in either case.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from training.art.features import cell_centres

Arithmetic = Literal["fastest", "float32", "int8"]
BLOCK = 1024
"""Cells of the target in one product: with 1,024 of the source it stays in a core's cache while maxima are taken."""
LARGEST_INT8 = 127


@dataclass(frozen=True, eq=False)
class Matches:
    """M correspondences between the cells of a source grid and those of the target's grids."""

    source: NDArray[np.float32]
    """(M, 2) middle of the source's cell, in [0, 1] of its width and height."""
    target: NDArray[np.float32]
    """(M, 2) the same of the target's cell."""
    similarity: NDArray[np.float32]
    """(M,) cosine of the two features."""
    cell: NDArray[np.int64]
    """(M,) the source's cell, counted along the rows of its whole grid."""
    scale: NDArray[np.int64]
    """(M,) which of the target's grids the match is from."""

    def __len__(self) -> int:
        return len(self.similarity)

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Matches":
        """Some of them."""
        return Matches(
            self.source[which], self.target[which], self.similarity[which], self.cell[which], self.scale[which]
        )


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one grid that take part: those `margin` away from its edges, where the padding of the network tells
    more than the picture does."""

    bank: NDArray[np.float16]
    """(K, C) vectors of these and other cells, which are read from a file when they are needed."""
    rows: NDArray[np.int64]
    """(N,) where each is in the bank."""
    centres: NDArray[np.float32]
    """(N, 2) in [0, 1]."""
    number: NDArray[np.int64]
    """(N,) in the whole grid, along its rows."""
    shape: tuple[int, int]
    """(h, w) of the whole grid."""

    @classmethod
    def of(cls, grid: NDArray[np.float16], margin: int) -> "Cells":
        """(h, w, C) -> its cells; a side too short for the margin keeps its middle."""
        number, centres = _away_from_edges(grid.shape[0], grid.shape[1], margin)
        return cls(grid.reshape(-1, grid.shape[2]), number, centres, number, (grid.shape[0], grid.shape[1]))

    @property
    def vectors(self) -> NDArray[np.float16]:
        """(N, C)."""
        return self.bank[self.rows]

    def chosen(self, which: NDArray[np.bool_]) -> "Cells":
        """Some of them."""
        return Cells(self.bank, self.rows[which], self.centres[which], self.number[which], self.shape)


@dataclass(frozen=True, eq=False)
class Products:
    """Some cells multiplied with every cell of a picture, of which its dense cosines and mutual matches are made."""

    values: tuple[NDArray[Any], ...]
    """(N, h, w) of each grid: float32, or int32 where bytes were multiplied."""
    unit: float
    """What 1 of them is."""

    @classmethod
    def of(
        cls, vectors: NDArray[np.float16], grids: Sequence[NDArray[np.float16]], arithmetic: Arithmetic = "fastest"
    ) -> "Products":
        """(N, C) and grids (h, w, C) of unit vectors."""
        quick = _quick(arithmetic)
        here = _as_factor(vectors, quick)
        each = (_product(here, _as_factor(one.reshape(-1, one.shape[2]), quick)) for one in grids)
        values = tuple(one.reshape(len(vectors), *grid.shape[:2]) for one, grid in zip(each, grids, strict=True))
        return cls(values, step_of_bytes(vectors.shape[1]) ** 2 if quick else 1.0)

    def mutual(self, source: Cells, targets: Sequence[Cells], margin: int) -> Matches:
        """`mutual_matches` of the cells that were multiplied with those `margin` away from the edges of each grid."""
        found = []
        for each in self.values:
            inner = each[(slice(None), *_inner(each.shape[1:], margin))]
            found.append(_nearest_of_both(len(each), [(0, inner.reshape(len(each), -1))]))
        return _matches(source, targets, found)


def alikeness(grid: NDArray[np.float16]) -> NDArray[np.float32]:
    """(h, w, C) -> (h, w): the mean cosine of each cell with those left, right, above and below it, 0 without any."""
    values = single(grid)
    total, count = np.zeros(grid.shape[:2], np.float32), np.zeros(grid.shape[:2], np.float32)
    for axis in (0, 1):
        length = grid.shape[axis] - 1
        before, after = (
            tuple(slice(first, first + length) if one == axis else slice(None) for one in (0, 1)) for first in (0, 1)
        )
        near = np.einsum("hwc,hwc->hw", values[before], values[after])
        for part in (before, after):
            total[part] += near
            count[part] += 1
    return total / np.maximum(count, 1)


def mutual_matches(source: Cells, targets: Sequence[Cells], arithmetic: Arithmetic = "fastest") -> Matches:
    """All pairs of a source cell and a target cell that are each other's nearest, for each target grid by itself."""
    quick = _quick(arithmetic)
    here = _as_factor(source.vectors, quick)
    found = [_nearest_of_both(len(here), _products(here, target, quick)) for target in targets]
    return _matches(source, targets, found)


def _matches(
    source: Cells, targets: Sequence[Cells], found: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> Matches:
    """Of pairs of a source cell and a target cell, for each target grid."""
    number = np.concatenate([ours for ours, _ in found])
    vectors = np.concatenate([one.bank[one.rows[theirs]] for one, (_, theirs) in zip(targets, found, strict=True)])
    return Matches(
        source=source.centres[number],
        target=np.concatenate([one.centres[theirs] for one, (_, theirs) in zip(targets, found, strict=True)]),
        similarity=cosine(source.bank[source.rows[number]], vectors),
        cell=source.number[number],
        scale=np.repeat(np.arange(len(targets)), [len(ours) for ours, _ in found]),
    )


def products_of_bytes(a: NDArray[np.int8], b: NDArray[np.int8]) -> NDArray[Any]:
    """(N, C), (M, C) -> (N, M), exact: whole numbers, or where the processor has no instructions for them, float32."""
    if multiplies_bytes():
        return torch._int_mm(torch.from_numpy(np.ascontiguousarray(a)), torch.from_numpy(b).T).numpy()
    return a.astype(np.float32) @ b.astype(np.float32).T


def cosine(a: NDArray[np.float16], b: NDArray[np.float16]) -> NDArray[np.float32]:
    """(M, C), (M, C) unit vectors -> (M,)."""
    return (single(a) * single(b)).sum(axis=1)


def single(values: NDArray[np.float16]) -> NDArray[np.float32]:
    """Half to single precision as torch does it, many numbers at a time; numpy takes one after the other."""
    return _tensor(values).float().numpy()


@cache
def multiplies_bytes() -> bool:
    """Whether this processor has instructions that multiply and add bytes."""
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


@lru_cache(maxsize=1000)
def _away_from_edges(height: int, width: int, margin: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Numbers (N,) and centres (N, 2) of the cells of a grid that are; not to be written to."""
    inner = _inner((height, width), margin)
    number = np.arange(height * width).reshape(height, width)[inner].reshape(-1)
    centres = cell_centres((height, width))[inner].reshape(-1, 2)
    for one in (number, centres):
        one.flags.writeable = False
    return number, centres


def _inner(shape: Sequence[int], margin: int) -> tuple[slice, slice]:
    """The cells of a grid (h, w, ...) that are away from its edges."""
    height, width = (min(margin, (side - 1) // 2) for side in shape[:2])
    return slice(height, shape[0] - height), slice(width, shape[1] - width)


def _nearest_of_both(
    rows: int, blocks: Iterable[tuple[int, NDArray[Any]]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns that are each other's nearest, of products that come in blocks of columns, each with the number
    of its first; of several columns that are as near, the first."""
    best = np.full(rows, -np.inf, np.float32)
    nearest = np.zeros(rows, np.int64)
    each = [np.empty(0, np.float32)]
    for first, products in blocks:
        if not products.size:
            continue
        index = products.argmax(axis=1)
        value = products[np.arange(rows), index]
        better = value > best
        best[better], nearest[better] = value[better], index[better] + first
        each.append(products.max(axis=0).astype(np.float32))
    largest = np.concatenate(each)
    if not len(largest):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    ours = np.flatnonzero(best >= largest[nearest])
    # Where several source cells are as near to one target, only the first is its neighbour.
    theirs, once = np.unique(nearest[ours], return_index=True)
    return ours[once], theirs


def _products(source: torch.Tensor, target: Cells, quick: bool) -> Iterator[tuple[int, NDArray[Any]]]:
    for first in range(0, len(target.rows), BLOCK):
        yield first, _product(source, _as_factor(target.bank[target.rows[first : first + BLOCK]], quick))


def _product(a: torch.Tensor, b: torch.Tensor) -> NDArray[Any]:
    """(N, C), (M, C) of `_as_factor` -> (N, M)."""
    return torch._int_mm(a, b.T).numpy() if a.dtype == torch.int8 else a.numpy() @ b.numpy().T


def _as_factor(vectors: NDArray[np.float16], quick: bool) -> torch.Tensor:
    """Float32, or whole numbers."""
    return whole_numbers(_tensor(vectors)) if quick else _tensor(vectors).float()


def _tensor(values: NDArray[np.float16]) -> torch.Tensor:
    """torch warns of what it cannot write to."""
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def whole_numbers(vectors: torch.Tensor) -> torch.Tensor:
    """(..., C) unit vectors of half or single precision -> int8; one factor for all of them keeps the order of their
    products."""
    channels = vectors.shape[-1]
    factor = 1.0 / step_of_bytes(channels)
    made = torch.empty(vectors.shape, dtype=torch.int8, device=vectors.device)
    # Part by part, so that what is between half precision and bytes stays in the cache of a core: six times as fast.
    parts = zip(vectors.reshape(-1, channels).split(BLOCK), made.view(-1, channels).split(BLOCK), strict=True)
    scratch = torch.empty((min(BLOCK, made.numel() // channels), channels), device=vectors.device)
    for part, place in parts:
        values = scratch[: len(part)].copy_(part)
        place.copy_(values.mul_(factor).round_().clamp_(-LARGEST_INT8, LARGEST_INT8))
    return made


def step_of_bytes(channels: int) -> float:
    """What 1 stands for. Of unit vectors of C numbers few are beyond 8 / sqrt(C); to clip those costs less than to
    coarsen all others."""
    return min(1.0, 8.0 / channels**0.5) / LARGEST_INT8


def _quick(arithmetic: Arithmetic) -> bool:
    return arithmetic == "int8" or (arithmetic == "fastest" and multiplies_bytes())
