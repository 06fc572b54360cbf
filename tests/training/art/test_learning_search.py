"""Proposals find the copies of what they show; the ring around them tells copies from chance."""

import numpy as np
import pytest
import torch
from fixtures_art_features import detail, picture, placed

from training.art.features import grid_shape
from training.art.learning.candidates import Candidates, best_places
from training.art.learning.config import LearningConfig
from training.art.learning.proposals import drawn_places, joined, proposals_at
from training.art.learning.verification import ring, votes
from training.art.pictures import Picture

SCALES = (68, 49)
SIZE = (800, 450)
HERE, THERE = placed((0.4, 0.5), (0.42, 0.75)), placed((0.6, 0.5), (0.42, 0.75))
CONFIG = LearningConfig(matches=2, verified_cells=10)
MIDDLE = torch.tensor([[0, 0, 18, 27]])
"""In the detail where HERE puts it, of a grid of 68 x 38 cells."""


def _grids(seed, *details):
    return [torch.from_numpy(grid).float() for grid in picture(seed, details, 0.3, SIZE, SCALES).grids]


@pytest.fixture(scope="module")
def collection():
    """Four pictures, of which the first and the third have a detail in common."""
    copied = detail(3)
    return [_grids(0, (copied, HERE)), _grids(1), _grids(2, (copied, THERE)), _grids(3)]


def test_the_ring_of_ten_has_36_cells_around_the_proposal():
    cells = ring(10)
    assert len(cells) == 36 and cells.min() == -4 and cells.max() == 5
    inner = (cells > -4) & (cells < 5)
    assert not inner.all(dim=1).any()


def test_a_copy_is_verified_and_a_chance_match_is_not(collection):
    proposals = proposals_at(MIDDLE, collection[0][0], CONFIG)
    # The detail is a fifth of the picture's width further right: 13.6 cells of 68.
    copy = votes(proposals.rings, collection[2][0], torch.tensor([[18, 41]]), 10)
    shifted = votes(proposals.rings, collection[2][0], torch.tensor([[18, 36]]), 10)
    assert copy > 0.8 and shifted < 0.1
    for other in (1, 3):
        scores, places = best_places(proposals.regions, collection[other], CONFIG.margin)
        grid = collection[other][int(places[0, 0])]
        assert votes(proposals.rings, grid, places[:, 1:], 10) < 0.15 and scores < 0.8


def test_votes_of_many_are_those_of_each(collection, monkeypatch):
    places = torch.tensor([[0, 0, row, column] for row in (10, 18) for column in (20, 27, 30)])
    proposals = proposals_at(places, collection[0][0], CONFIG)
    together = votes(proposals.rings, collection[2][0], places[:, 2:], 10)
    monkeypatch.setattr("training.art.learning.verification.LARGEST", 1)
    torch.testing.assert_close(votes(proposals.rings, collection[2][0], places[:, 2:], 10), together)


def test_dense_matching_is_the_mean_cosine_of_four_cells(collection):
    proposals = proposals_at(MIDDLE, collection[0][0], CONFIG)
    best, place = best_places(proposals.regions, collection[2], CONFIG.margin)
    scale, row, column = place[0].tolist()
    here, there = collection[0][0][18:20, 27:29], collection[2][scale][row : row + 2, column : column + 2]
    assert best.item() == pytest.approx((here * there).sum(dim=2).mean().item(), abs=2e-3)
    # Which of the scales fits best is for chance to say, where it is in the picture is not.
    rows, columns = collection[2][scale].shape[:2]
    assert abs((row + 0.5) / rows - 18.5 / 38) < 0.03 and abs((column + 0.5) / columns - 41.5 / 68) < 0.03


def test_the_best_pictures_are_kept_and_the_own_one_is_none_of_them(collection):
    places = torch.cat([MIDDLE, torch.tensor([[1, 0, 12, 30]])])
    proposals = joined([proposals_at(one[None], collection[int(one[0])][0], CONFIG) for one in places])
    candidates = Candidates.none(len(proposals), CONFIG, torch.device("cpu"))
    for number, grids in enumerate(collection):
        candidates.offer(proposals, number, grids, CONFIG)
    assert candidates.count == 4
    for own, scores, found in zip((0, 1), candidates.scores, candidates.places, strict=True):
        kept = {
            number: best_places(proposals.regions[own : own + 1], grids, CONFIG.margin)[0].item()
            for number, grids in enumerate(collection)
            if number != own
        }
        best = sorted(kept, key=kept.__getitem__, reverse=True)[:2]
        assert set(found[:, 0].tolist()) == set(best)
        np.testing.assert_allclose(sorted(scores.tolist()), sorted(kept[one] for one in best), atol=1e-6)
    copy = candidates.places[0, :, 0] == 2
    assert candidates.votes[0][copy] > 0.8 and candidates.votes[0][~copy] < 0.15 and candidates.votes[1].max() < 0.15


def test_proposals_are_drawn_where_their_regions_fit():
    config = LearningConfig(proposals=50, positive_cells=14)
    shown = Picture((1000, 500), np.zeros((500, 1000, 3), np.uint8))
    drawn = [drawn_places(shown, 7, config, np.random.default_rng(seed)) for seed in range(8)]
    assert len({int(one[0, 1]) for one in drawn}) > 1
    for places in drawn:
        assert (places[:, 0] == 7).all() and len(places) == len(places.unique(dim=0)) == 50
        rows, columns = grid_shape(shown.size, (80, 74, 68, 60, 49, 36, 20)[int(places[0, 1])])
        first, last = places[:, 2:] - 6, places[:, 2:] + 7
        assert first.min() >= 0 and (last < torch.tensor([rows, columns])).all()


def test_a_picture_too_narrow_for_any_region_has_no_proposals():
    strip = Picture((1000, 100), np.zeros((100, 1000, 3), np.uint8))
    assert drawn_places(strip, 0, LearningConfig(), np.random.default_rng(0)) is None
