"""Features split by factor: the sum of parts, what is left, and how it is streamed."""

import numpy as np
import pytest

from perception.errors import BlockworldError
from training.features.decomposition import Residual, Sums, component, decomposed

COUNTS = (4, 3, 5)


def levels():
    return np.stack(np.unravel_index(np.arange(np.prod(COUNTS)), COUNTS), axis=1)


def streamed(features, which, batch=7):
    sums = Sums(COUNTS)
    for first in range(0, len(features), batch):
        sums.add(features[first : first + batch], which[first : first + batch])
    marginals = sums.marginals()
    residual = Residual(marginals)
    for first in range(0, len(features), batch):
        residual.add(features[first : first + batch], which[first : first + batch])
    return marginals, residual


def random_features(seed=0, size=40, offset=0.0):
    return (np.random.default_rng(seed).normal(size=(int(np.prod(COUNTS)), size)) + offset).astype(np.float32)


def test_streamed_marginals_are_means_over_all_pictures_of_a_value():
    features, which = random_features(), levels()
    marginals, _ = streamed(features, which)
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    for k, count in enumerate(COUNTS):
        for value in range(count):
            np.testing.assert_allclose(marginals.parts[k][value], centred[which[:, k] == value].mean(axis=0), atol=1e-9)
    assert marginals.variance == pytest.approx((centred**2).sum(axis=1).mean(), rel=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_shares_and_residual_that_is_measured_by_itself_sum_to_one(offset):
    found = decomposed(*streamed(random_features(offset=offset), levels()))
    assert abs(sum(one.share for one in found.components) + found.residual - 1) <= 1e-6
    assert found.residual > 0.5  # of noise, little is due to any factor


def test_of_a_sum_of_parts_nothing_is_left_and_each_part_has_its_own_variance():
    rng, which = np.random.default_rng(1), levels()
    parts = [rng.normal(size=(count, 30)) * (k + 1) for k, count in enumerate(COUNTS)]
    features = sum(part[which[:, k]] for k, part in enumerate(parts))
    found = decomposed(*streamed(features, which))
    variances = [((part - part.mean(axis=0)) ** 2).sum(axis=1).mean() for part in parts]
    np.testing.assert_allclose([one.share for one in found.components], variances / np.sum(variances), rtol=1e-9)
    assert found.residual == pytest.approx(0, abs=1e-12)


def test_the_order_and_the_batches_do_not_matter():
    features, which = random_features(), levels()
    order = np.random.default_rng(2).permutation(len(features))
    one = decomposed(*streamed(features, which))
    other = decomposed(*streamed(features[order], which[order], batch=13))
    np.testing.assert_allclose([a.share for a in one.components], [b.share for b in other.components], rtol=1e-9)


def test_the_dimension_of_a_circle_is_two_and_its_embedding_is_the_circle():
    angles = 2 * np.pi * np.arange(12) / 12
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(20, 2)))[0]
    found = component(np.stack([np.cos(angles), np.sin(angles)], axis=1) @ basis.T, 1.0)
    assert found.dimension == 2 and found.share == pytest.approx(1)
    np.testing.assert_allclose(np.linalg.norm(found.embedding, axis=1), 1, atol=1e-9)


def test_a_design_that_is_not_full_is_no_design():
    sums = Sums(COUNTS)
    sums.add(random_features()[:-1], levels()[:-1])
    with pytest.raises(ValueError, match="full factorial"):
        sums.marginals()


def test_a_network_that_changes_between_the_passes_is_found_out():
    features, which = random_features(), levels()
    marginals, _ = streamed(features, which)
    residual = Residual(marginals)
    residual.add(features + 0.1 * random_features(5), which)
    with pytest.raises(BlockworldError, match="evaluation mode"):
        decomposed(marginals, residual)


def test_features_that_do_not_vary_are_refused():
    with pytest.raises(BlockworldError, match="the same for all pictures"):
        decomposed(*streamed(np.ones((60, 4), np.float32), levels()))
