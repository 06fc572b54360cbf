"""Mutual nearest neighbours of two grids are what all cosines, compared one by one, say."""

import numpy as np
import pytest
from fixtures_art_features import picture

from training.art.matching import BLOCK, Cells, Products, alikeness, mutual_matches


def _random_cells(count: int, seed: int) -> Cells:
    values = np.random.default_rng(seed).normal(size=(1, count, 48))
    values /= np.linalg.norm(values, axis=2, keepdims=True)
    return Cells.of(values.astype(np.float16), 0)


def _compared(source: Cells, target: Cells) -> set[tuple[int, int]]:
    cosines = source.vectors.astype(np.float64) @ target.vectors.astype(np.float64).T
    return {
        (row, column)
        for row, column in enumerate(cosines.argmax(axis=1))
        if cosines[:, column].argmax() == row
    }


def test_matches_are_those_that_comparing_all_finds_over_several_blocks():
    source, target = _random_cells(300, 1), _random_cells(2 * BLOCK + 100, 2)
    found = mutual_matches(source, [target], "float32")
    columns = {tuple(place): number for number, place in enumerate(target.centres)}
    pairs = {(int(cell), columns[tuple(place)]) for cell, place in zip(found.cell, found.target, strict=True)}
    assert pairs == _compared(source, target)


def test_bytes_find_nearly_the_same_matches():
    source, target = _random_cells(300, 1), _random_cells(2 * BLOCK + 100, 2)
    exact, quick = (
        {(int(cell), *place) for cell, place in zip(one.cell, one.target.tolist(), strict=True)}
        for one in (mutual_matches(source, [target], kind) for kind in ("float32", "int8"))
    )
    # Noise has more cosines that are nearly the same than any picture.
    assert len(exact & quick) > 0.85 * len(exact | quick)


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
def test_products_with_all_cells_of_a_picture_give_the_same_matches(arithmetic):
    source, target = Cells.of(picture(1).grids[0], 2), picture(2)
    cells = [Cells.of(grid, 3) for grid in target.grids]
    wanted = mutual_matches(source, cells, arithmetic)
    found = Products.of(source.vectors, target.grids, arithmetic).mutual(source, cells, 3)
    for name in ("source", "target", "cell", "scale", "similarity"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_similarity_is_the_cosine_of_the_half_precision_features():
    source, target = _random_cells(50, 1), _random_cells(60, 2)
    found = mutual_matches(source, [target, source], "int8")
    np.testing.assert_allclose(found.similarity[found.scale == 1], 1, atol=1e-3)
    assert set(found.cell[found.scale == 1]) == set(range(50))


def test_the_margin_is_left_out_but_never_all_of_a_side():
    grid = np.zeros((9, 3, 4), np.float16)
    cells = Cells.of(grid, 2)
    assert sorted(cells.number) == [row * 3 + 1 for row in range(2, 7)]
    assert len(Cells.of(grid[:1, :1], 2).number) == 1


def test_cells_that_are_as_near_match_once():
    grid = np.ones((3, 3, 4), np.float16) / 2
    found = mutual_matches(Cells.of(grid, 0), [Cells.of(grid, 0)], "float32")
    assert len(found) == 1


def test_alikeness_is_one_on_a_wall_and_low_on_noise():
    wall = np.zeros((5, 6, 8), np.float16)
    wall[..., 0] = 1
    np.testing.assert_allclose(alikeness(wall), 1)
    assert alikeness(picture(1, noise=5.0).grids[0]).mean() < 0.3
    assert alikeness(wall[:1, :1]).item() == 0
