"""A box is found again in the other pictures, where it is and before what it is not."""

import numpy as np
import pytest
from fixtures_art_features import box_of, detail, picture, placed

from perception.errors import InputError
from training.art.boxes import overlap
from training.art.dense import dense_cosine, found_in
from training.art.matching import Products
from training.art.regions import Region
from training.art.search import SearchConfig, search

SIZE = (800, 450)
PLACES = [placed((0.3, 0.45), (0.25, 0.45)), placed((0.6, 0.5), (0.25, 0.45)), placed((0.7, 0.4), (0.33, 0.6), 10.0)]


@pytest.fixture(scope="module")
def collection():
    """Three pictures with the same detail, and three without."""
    copied = detail(5)
    return [picture(number, ((copied, place),), 0.5) for number, place in enumerate(PLACES)] + [
        picture(seed) for seed in (11, 12, 13)
    ]


def _fits(region, grid):
    products = Products.of(region.reshape(-1, region.shape[2]), [grid])
    return products.unit * dense_cosine(products.values[0], region.shape[:2])


def _found(region, features, most):
    products = Products.of(region.cells().vectors, features.grids)
    return found_in(region, features.size, products, most, 0.1)


def test_dense_cosine_is_the_cosine_of_the_parts_laid_side_by_side():
    random = np.random.default_rng(0)
    grid = random.normal(size=(7, 9, 16))
    grid = (grid / np.linalg.norm(grid, axis=2, keepdims=True)).astype(np.float16)
    region = np.ascontiguousarray(grid[2:5, 3:7])
    fits = _fits(region, grid)
    assert fits.shape == (5, 6)
    part = grid[1:4, 2:6].astype(float).ravel()
    whole = region.astype(float).ravel()
    assert fits[1, 2] == pytest.approx(part @ whole / np.linalg.norm(part) / np.linalg.norm(whole), abs=2e-3)
    assert np.unravel_index(fits.argmax(), fits.shape) == (2, 3)


def test_a_region_larger_than_a_grid_fits_nowhere():
    assert _fits(np.ones((4, 4, 2), np.float16), np.ones((3, 9, 2), np.float16)).size == 0


def test_a_box_is_found_in_its_own_picture_where_it_is(collection):
    box = box_of(PLACES[0], SIZE)
    found = _found(Region.of(collection[0], box), collection[0], 3)
    np.testing.assert_allclose(found.boxes[0], box, atol=1.0)
    assert found.scores[0] == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("verify", [False, True])
def test_pictures_with_the_detail_come_first_with_their_boxes(collection, verify):
    region = Region.of(collection[0], box_of(PLACES[0], SIZE))
    found = search(region, collection, range(1, 6), verify=verify)
    assert {one.picture for one in found[:2]} == {1, 2}
    for one in found[:2]:
        # That of the third is turned and larger, and a cosine knows boxes of one shape alone.
        assert overlap(one.box, box_of(PLACES[one.picture], SIZE)) > (0.5 if verify or one.picture == 1 else 0.35)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_discovery_puts_the_box_where_its_map_does(collection):
    region = Region.of(collection[0], box_of(PLACES[0], SIZE))
    best = next(one for one in search(region, collection, [2], verify=True))
    assert best.discovery is not None
    assert overlap(best.box, box_of(PLACES[2], SIZE)) > 0.8


def test_boxes_of_a_picture_do_not_overlap(collection):
    config = SearchConfig(boxes=4, overlap=0.0)
    region = Region.of(collection[0], box_of(PLACES[0], SIZE))
    boxes = [one.box for one in search(region, collection, [3], config)]
    assert len(boxes) == 4
    assert all(overlap(a, b) == 0 for number, a in enumerate(boxes) for b in boxes[:number])


def test_a_box_smaller_than_a_cell_is_the_nearest_cell(collection):
    region = Region.of(collection[0], (300, 200, 2, 2))
    assert region.grid.shape[:2] == (1, 1)
    found = _found(region, collection[0], 1)
    assert overlap(tuple(found.boxes[0]), (300, 200, 2, 2)) > 0.9


def test_a_box_that_goes_beyond_the_picture_is_cut_and_one_outside_refused(collection):
    assert Region.of(collection[0], (700, 300, 500, 500)).box == (700, 300, 100, 150)
    with pytest.raises(InputError, match="outside the picture"):
        Region.of(collection[0], (900, 0, 50, 50))
