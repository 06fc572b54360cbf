"""The loss is the paper's, and teaches what it should: alike at the corners, unlike elsewhere."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.art.learning.config import LearningConfig
from training.art.learning.loss import compared, corners, pair_loss, triplet_loss

CONFIG = LearningConfig(saturation=0.4, negatives=3)


def _grid(seed, height=14, width=15, channels=6):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(height, width, channels, generator=generator, dtype=torch.float64), dim=2)


def _by_hand(one, other, first, other_first, config):
    """The loss, cell by cell."""
    total = 0.0
    for row, column in ((-5, -5), (-5, 6), (6, -5), (6, 6)):
        place = np.array([first[0] + row, first[1] + column])
        match = np.array([other_first[0] + row, other_first[1] + column])
        positives, there = _sorted(one, other, place, match, config)
        _, here = _sorted(other, one, match, place, config)
        hardest = max((there[: config.negatives], here[: config.negatives]), key=np.mean)
        total += max(config.saturation - max(positives), 0.0)
        total += np.mean([max(value - (1 - config.saturation), 0.0) for value in hardest])
    return total / 4


def _sorted(one, other, place, match, config):
    positives, negatives = [], []
    for row in range(other.shape[0]):
        for column in range(other.shape[1]):
            value = float(one[place[0], place[1]] @ other[row, column])
            near = max(abs(row - match[0]), abs(column - match[1])) <= config.slack_cells
            if near:
                positives.append(value)
            if not near or not config.exclude_match:
                negatives.append(value)
    return positives, sorted(negatives, reverse=True)


@pytest.mark.parametrize("changes", [{}, {"exclude_match": False}, {"slack_cells": 0}])
def test_the_loss_of_a_pair_is_that_computed_cell_by_cell(changes):
    config = CONFIG.model_copy(update=changes)
    one, other = _grid(0), _grid(1, 16, 13)
    found = pair_loss(one, other, torch.tensor([6, 7]), torch.tensor([5, 5]), config)
    wanted = _by_hand(one.numpy(), other.numpy(), (6, 7), (5, 5), config)
    assert found.item() == pytest.approx(wanted, rel=1e-12) and wanted > 0.1


def test_its_gradient_is_that_of_finite_differences():
    one, other = _grid(2).requires_grad_(), _grid(3).requires_grad_()
    first, other_first = torch.tensor([5, 6]), torch.tensor([6, 5])
    pair_loss(one, other, first, other_first, CONFIG).backward()
    random = np.random.default_rng(0)
    touched = torch.nonzero(one.grad.abs().sum(dim=2))
    for row, column in touched[random.permutation(len(touched))[:6]].tolist():
        for channel in range(2):
            ends = []
            for step in (1e-6, -1e-6):
                moved = one.detach().numpy().copy()
                moved[row, column, channel] += step
                ends.append(_by_hand(moved, other.detach().numpy(), (5, 6), (6, 5), CONFIG))
            assert one.grad[row, column, channel].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_the_gradient_of_the_triplet_loss_is_that_of_the_papers_formula():
    values = [torch.tensor([0.9, 0.3, 0.79]), torch.tensor([[0.1, 0.5], [0.21, 0.9], [0.0, 0.19]])]
    ours, papers = ([one.double().requires_grad_() for one in values] for _ in range(2))
    triplet_loss(*ours, 0.8).backward()
    positives, negatives = papers
    formula = (-positives.clamp(max=0.8) + negatives.clamp(min=0.2).mean(dim=1)).mean()
    formula.backward()
    assert triplet_loss(*ours, 0.8).item() == pytest.approx(formula.item() + 0.8 - 0.2)
    for one, other in zip(ours, papers, strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(ours[0].grad, torch.tensor([0, -1 / 3, -1 / 3], dtype=torch.float64))


def test_what_is_learned_has_no_loss():
    assert triplet_loss(torch.tensor([0.8, 1.0]), torch.tensor([[0.2], [-1.0]]), 0.8) == 0


def test_the_true_match_is_no_negative_unless_asked_for():
    grid = _grid(4)
    places = torch.tensor([6, 7]) + corners(12)
    for exclude, hardest in ((True, 0.99), (False, 1.0)):
        config = CONFIG.model_copy(update={"exclude_match": exclude})
        positives, negatives = compared(grid, grid, places, places, config)
        torch.testing.assert_close(positives, torch.ones(4, dtype=torch.float64))
        assert (negatives.amax(dim=1) <= hardest + 1e-9).all()
        assert exclude or (negatives.amax(dim=1) > 0.999).all()


@pytest.mark.parametrize(("cells", "ends"), [(2, (0, 1)), (12, (-5, 6)), (14, (-6, 7))])
def test_corners_lie_around_a_proposal(cells, ends):
    first, last = ends
    assert corners(cells).tolist() == [[first, first], [first, last], [last, first], [last, last]]


def test_steps_down_the_gradient_bring_the_pair_together():
    one, other = (_grid(seed).float().requires_grad_() for seed in (5, 6))
    optimiser = torch.optim.Adam([one, other], 0.02)
    config = LearningConfig()
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        grids = (functional.normalize(grid, dim=2) for grid in (one, other))
        loss = pair_loss(*grids, torch.tensor([6, 6]), torch.tensor([5, 6]), config)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]
