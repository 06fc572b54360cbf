"""Samples of a step: every one once per epoch, in another order each time, the same in every run."""

import torch

from training.core.order import batch_indices


def epochs(seed, count, batch, steps):
    return torch.cat([batch_indices(seed, step, batch, count) for step in range(steps)])


def test_every_epoch_holds_every_sample_once():
    seen = epochs(seed=3, count=10, batch=4, steps=5)
    assert torch.equal(seen[:10].sort().values, torch.arange(10))
    assert torch.equal(seen[10:].sort().values, torch.arange(10))
    assert not torch.equal(seen[:10], seen[10:])


def test_a_step_is_a_function_of_seed_and_number():
    assert torch.equal(batch_indices(1, 7, 16, 100), batch_indices(1, 7, 16, 100))
    assert not torch.equal(batch_indices(1, 7, 16, 100), batch_indices(2, 7, 16, 100))


def test_a_batch_may_be_larger_than_an_epoch():
    assert sorted(batch_indices(0, 0, 6, 3).tolist()) == [0, 0, 1, 1, 2, 2]
