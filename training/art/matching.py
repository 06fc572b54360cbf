"""Mutual nearest neighbours between one grid of a picture and all grids of another.

Which cells are nearest is the product of two matrices for every pair of scales, which is all that discovery costs: in
float32, or where the processor multiplies bytes four times as fast, in int8. What is reported of the matches, their
cosine, is taken in float32 from the half precision features in either case.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
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

    vectors: NDArray[np.float16]
    """(N, C)."""
    centres: NDArray[np.float32]
    """(N, 2) in [0, 1]."""
    number: NDArray[np.int64]
    """(N,) in the whole grid, along its rows."""

    @classmethod
    def of(cls, grid: NDArray[np.float16], margin: int) -> "Cells":
        """(h, w, C) -> its cells; a side too short for the margin keeps its middle."""
        rows, columns = (_inner(side, margin) for side in grid.shape[:2])
        number = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape[:2])[rows, columns]
        centres = cell_centres((grid.shape[0], grid.shape[1]))[rows, columns]
        vectors = np.ascontiguousarray(grid[rows, columns]).reshape(-1, grid.shape[2])
        return cls(vectors, centres.reshape(-1, 2), number.reshape(-1))

    def chosen(self, which: NDArray[np.bool_]) -> "Cells":
        """Some of them."""
        return Cells(self.vectors[which], self.centres[which], self.number[which])


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


def _inner(side: int, margin: int) -> slice:
    kept = min(margin, (side - 1) // 2)
    return slice(kept, side - kept)


def mutual_matches(source: Cells, targets: Sequence[Cells], arithmetic: Arithmetic = "fastest") -> Matches:
    """All pairs of a source cell and a target cell that are each other's nearest, for each target grid by itself."""
    quick = _quick(arithmetic)
    here = _as_factor(source.vectors, quick)
    found = [_mutual(here, target.vectors, quick) for target in targets]
    number = np.concatenate([ours for ours, _ in found])
    vectors = np.concatenate([one.vectors[theirs] for one, (_, theirs) in zip(targets, found, strict=True)])
    return Matches(
        source=source.centres[number],
        target=np.concatenate([one.centres[theirs] for one, (_, theirs) in zip(targets, found, strict=True)]),
        similarity=cosine(source.vectors[number], vectors),
        cell=source.number[number],
        scale=np.repeat(np.arange(len(targets)), [len(ours) for ours, _ in found]),
    )


def cosines(a: NDArray[np.float16], b: NDArray[np.float16], arithmetic: Arithmetic) -> NDArray[np.float32]:
    """(N, C), (M, C) unit vectors -> (N, M) cosines of all with all."""
    quick = _quick(arithmetic)
    factors = [_as_factor(one, quick) for one in (a, b)]
    if quick:
        return torch._int_mm(factors[0], factors[1].T).numpy() * np.float32(step_of_bytes(a.shape[1]) ** 2)
    return factors[0].numpy() @ factors[1].numpy().T


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
    # torch warns of what it cannot write to, such as features that are mapped from a file.
    own = values if values.flags.writeable else values.copy()
    return torch.from_numpy(own).float().numpy()


@cache
def multiplies_bytes() -> bool:
    """Whether this processor has instructions that multiply and add bytes."""
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


def _mutual(
    source: torch.Tensor, target: NDArray[np.float16], quick: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of both that are each other's nearest; of several targets that are as near, the first."""
    rows = len(source)
    if not rows or not len(target):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    best = np.full(rows, -np.inf, np.float32)
    nearest = np.zeros(rows, np.int64)
    largest = np.empty(len(target), np.float32)
    for first, products in _products(source, target, quick):
        index = products.argmax(axis=1)
        value = products[np.arange(rows), index]
        better = value > best
        best[better], nearest[better] = value[better], index[better] + first
        largest[first : first + products.shape[1]] = products.max(axis=0)
    ours = np.flatnonzero(best >= largest[nearest])
    # Where several source cells are as near to one target, only the first is its neighbour.
    theirs, once = np.unique(nearest[ours], return_index=True)
    return ours[once], theirs


def _products(source: torch.Tensor, target: NDArray[np.float16], quick: bool) -> Iterator[tuple[int, np.ndarray]]:
    for first in range(0, len(target), BLOCK):
        part = _as_factor(target[first : first + BLOCK], quick)
        if quick:
            yield first, torch._int_mm(source, part.T).numpy()
        else:
            yield first, source.numpy() @ part.numpy().T


def _as_factor(vectors: NDArray[np.float16], quick: bool) -> torch.Tensor:
    """Float32, or whole numbers."""
    values = torch.from_numpy(single(vectors))
    return whole_numbers(values) if quick else values


def whole_numbers(vectors: torch.Tensor) -> torch.Tensor:
    """(..., C) float32 unit vectors -> int8; one factor for all of them keeps the order of their products."""
    scaled = vectors.mul(1.0 / step_of_bytes(vectors.shape[-1]))
    return scaled.round_().clamp_(-LARGEST_INT8, LARGEST_INT8).to(torch.int8)


def step_of_bytes(channels: int) -> float:
    """What 1 stands for. Of unit vectors of C numbers few are beyond 8 / sqrt(C); to clip those costs less than to
    coarsen all others."""
    return min(1.0, 8.0 / channels**0.5) / LARGEST_INT8


def _quick(arithmetic: Arithmetic) -> bool:
    return arithmetic == "int8" or (arithmetic == "fastest" and multiplies_bytes())
