"""What two pictures have in common is found where it is, and nothing where there is nothing."""

import numpy as np
import pytest
from fixtures_art_features import box_of, composed, detail, picture, placed

from training.art.boxes import overlap
from training.art.discovery import DiscoveryConfig, Source, discover, discover_all

SIZE = (800, 450)
HERE = placed((0.3, 0.45), (0.3, 0.55))
ALL = DiscoveryConfig(distinct=1.0)
"""A random field has no walls that would have to be left out."""


@pytest.mark.parametrize(
    ("centre", "size", "turn_deg"),
    [((0.6, 0.5), (0.3, 0.55), 0.0), ((0.65, 0.55), (0.24, 0.44), 12.0), ((0.5, 0.5), (0.42, 0.8), -8.0)],
    ids=["same size", "smaller and turned", "larger and turned"],
)
def test_a_copied_detail_is_found_with_the_map_that_it_was_copied_by(centre, size, turn_deg):
    there = placed(centre, size, turn_deg)
    copied = detail(5)
    found = discover(picture(1, ((copied, HERE),)), picture(2, ((copied, there),)), ALL)
    assert found is not None
    corners = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]]) @ np.vstack([HERE, [0, 0, 1]]).T
    np.testing.assert_allclose(corners @ found.affine.T, corners @ composed(HERE, there).T, atol=0.02)
    assert overlap(found.source_box, box_of(HERE, SIZE)) > 0.75
    assert overlap(found.target_box, box_of(there, SIZE)) > 0.6
    np.testing.assert_allclose(found.source @ found.affine[:, :2].T + found.affine[:, 2], found.target, atol=0.1)


def test_the_score_is_that_of_equation_2_8():
    config = DiscoveryConfig()
    copied = detail(5)
    one, other = picture(1, ((copied, HERE),)), picture(2, ((copied, placed((0.6, 0.5), (0.3, 0.55))),))
    found = discover(one, other, config)
    grid = one.grids[5]
    count = (grid.shape[0] - 2 * config.margin) * (grid.shape[1] - 2 * config.margin)
    to_cells = max(grid.shape[:2]) * np.array([1.0, SIZE[1] / SIZE[0]])
    linear = found.affine[:, :2] * to_cells[:, None] / to_cells
    off = (found.source @ found.affine[:, :2].T + found.affine[:, 2] - found.target) * to_cells
    error = np.linalg.norm(off, axis=1) / np.sqrt(np.linalg.det(linear))
    terms = np.exp(-(error**2) / (2 * config.deviation**2)) * found.similarity
    assert found.score == pytest.approx(terms.sum() / count, rel=1e-4)


def test_no_cell_is_matched_twice():
    copied = detail(5)
    found = discover(picture(1, ((copied, HERE),)), picture(2, ((copied, placed((0.6, 0.5), (0.4, 0.7))),)))
    assert len(np.unique(found.source, axis=0)) == len(found.source)
    assert len(np.unique(found.target, axis=0)) == len(found.target)


def test_unrelated_pictures_have_nothing_in_common_that_scores_like_a_copy():
    same = discover(picture(1, ((detail(5), HERE),)), picture(2, ((detail(5), HERE),)))
    pictures = [picture(seed) for seed in range(10, 15)]
    scores = [
        found.score if (found := discover(one, other)) else 0.0
        for number, one in enumerate(pictures)
        for other in pictures[number + 1 :]
    ]
    assert max(scores) < 0.1 * same.score


def test_noise_lowers_the_score_before_it_hides_the_detail():
    scores = []
    for noise in (0.1, 0.6, 1.2):
        pair = [picture(seed, ((detail(5), HERE),), noise) for seed in (1, 2)]
        found = discover(*pair, ALL)
        assert found is not None
        assert overlap(found.source_box, box_of(HERE, SIZE)) > 0.5
        scores.append(found.score)
    assert scores == sorted(scores, reverse=True)


def test_two_details_are_both_found_each_by_its_own_map():
    first, second = placed((0.22, 0.4), (0.25, 0.5)), placed((0.75, 0.6), (0.25, 0.5))
    one = picture(1, ((detail(5), first), (detail(6), second)))
    other = picture(2, ((detail(5), second), (detail(6), first)))
    found = discover_all(one, other, ALL)
    boxes = [(box_of(first, SIZE), box_of(second, SIZE)), (box_of(second, SIZE), box_of(first, SIZE))]
    best = [max(range(2), key=lambda k, one=one: overlap(one.source_box, boxes[k][0])) for one in found[:2]]
    assert sorted(best) == [0, 1]
    for one, which in zip(found[:2], best, strict=True):
        assert overlap(one.target_box, boxes[which][1]) > 0.5


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_best_detail_is_the_first_of_all(noise):
    first, second = placed((0.22, 0.4), (0.25, 0.5)), placed((0.75, 0.6), (0.2, 0.4))
    one = picture(1, ((detail(5), first), (detail(6), second)), noise)
    for other in (picture(2, ((detail(5), second), (detail(6), first)), noise), picture(3)):
        for config in (ALL, DiscoveryConfig(seed=4)):
            every = discover_all(one, other, config)
            best = discover(one, other, config)
            assert (best is None) == (not every)
            if best is not None:
                assert best.score == pytest.approx(every[0].score, rel=0.01)
                assert overlap(best.source_box, every[0].source_box) > 0.8


def test_the_same_seed_gives_the_same_discovery():
    pair = [picture(seed, ((detail(5), HERE),), 0.8) for seed in (1, 2)]
    first, again = (discover(*pair, DiscoveryConfig(seed=3)) for _ in range(2))
    assert first.score == again.score
    np.testing.assert_array_equal(first.source, again.source)


def test_bytes_find_what_single_precision_finds():
    pair = [picture(seed, ((detail(5), HERE),), 0.5) for seed in (1, 2)]
    exact, quick = (discover(*pair, DiscoveryConfig(arithmetic=kind)) for kind in ("float32", "int8"))
    assert quick.score == pytest.approx(exact.score, rel=0.05)
    np.testing.assert_allclose(quick.affine, exact.affine, atol=0.01)


def test_a_blank_picture_has_nothing_in_common_with_any():
    blank = picture(1, noise=0.0)
    for grid in blank.grids:
        grid[:] = grid[:1, :1]
    assert discover(blank, picture(2)) is None
    assert discover(picture(2), blank) is None


def test_pictures_of_a_few_cells_are_no_error():
    small = picture(1, scales=(3, 2, 1), size=(40, 30))
    assert discover(small, small) is None or discover(small, small).score > 0


def test_cells_that_are_like_their_neighbours_are_not_looked_for():
    wall = picture(1, ((detail(5), HERE),))
    for grid in wall.grids:
        grid[:, grid.shape[1] // 2 :] = grid[0, 0]
    found = Source.of(wall, DiscoveryConfig(distinct=0.5, margin=0))
    rows, columns = wall.grids[5].shape[:2]
    assert found.count == rows * columns
    assert len(found.cells.number) <= 0.5 * found.count + 1
    assert (found.cells.number % columns <= columns // 2).all()
