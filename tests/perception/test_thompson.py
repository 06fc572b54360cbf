"""Thompson sampling over grasps."""

import numpy as np

from perception.thompson import Beliefs


def trials_until(beliefs, rates, seed, right):
    """How many trials it takes until the right grasp has been believed best ten times in a row."""
    rng, streak, count = np.random.default_rng(seed), 0, 0
    while streak < 10:
        grasp = beliefs.next(rng)
        beliefs.tell(grasp, bool(rng.random() < rates[grasp]))
        count, streak = count + 1, streak + 1 if beliefs.expected.argmax() == right else 0
    return count


def test_the_best_grasp_is_found():
    rates = np.array([0.2, 0.95, 0.5, 0.3])
    assert all(trials_until(Beliefs.unknown(4), rates, seed, right=1) < 400 for seed in range(20))


def test_trials_of_similar_grasps_find_it_sooner():
    rates = np.array([0.2, 0.5, 0.3, 0.6, 0.95, 0.4])
    known = Beliefs.prior(np.round(10 * rates), np.full(6, 10), np.full(6, 0.8))
    with_prior = [trials_until(Beliefs(known.successes.copy(), known.failures.copy()), rates, s, 4) for s in range(40)]
    without = [trials_until(Beliefs.unknown(6), rates, s, 4) for s in range(40)]
    assert np.mean(with_prior) < 0.6 * np.mean(without)


def test_what_has_no_likeness_to_anything_counts_for_nothing():
    prior = Beliefs.prior([10, 0], [10, 10], [0.0, 0.0])
    assert np.array_equal(prior.expected, [0.5, 0.5])
