"""Standardised features do not know what was done to all of a picture alike."""

import numpy as np
from fixtures_art_features import picture

from training.art.features import Features
from training.art.standardised import standardised


def _in_another_medium(features: Features) -> Features:
    random = np.random.default_rng(0)
    channels = features.grids[0].shape[2]
    shift, scale = 0.3 * random.normal(size=channels), random.uniform(0.5, 2, channels)
    grids = []
    for grid in features.grids:
        values = grid.astype(float) * scale + shift
        grids.append((values / np.linalg.norm(values, axis=2, keepdims=True)).astype(np.float16))
    return Features(features.size, tuple(grids))


def _alike(a: Features, b: Features) -> float:
    pairs = zip(a.grids, b.grids, strict=True)
    return float(np.mean([(one.astype(float) * other.astype(float)).sum(axis=2).mean() for one, other in pairs]))


def test_a_change_of_all_channels_is_all_but_undone():
    features = picture(1, scales=(20, 10))
    changed = _in_another_medium(features)
    assert _alike(features, changed) < 0.6
    assert _alike(standardised(features), standardised(changed)) > 0.9


def test_vectors_are_units_and_a_blank_picture_has_none():
    features = picture(1, scales=(20, 10))
    for grid in standardised(features).grids:
        np.testing.assert_allclose(np.linalg.norm(grid.astype(float), axis=2), 1, atol=2e-3)
    blank = Features((10, 10), (np.full((3, 3, 4), 0.5, np.float16),))
    assert np.abs(standardised(blank).grids[0]).max() == 0
